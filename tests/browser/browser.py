"""Headless Chromium with what the tests ask of it.

    with Browser(folder) as browser:
        browser.show(url)
        browser.look(dark=True, width=360)
        browser.text("h1")
"""

import os
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from servers import dies_with_us, wait_until

OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
HEIGHT = 900
SCREENSHOTS = os.environ.get("DBHEALTH_SCREENSHOTS")  # a folder to leave them in, for people
# Words whose contrast with what is behind them is too low (WCAG 2, AA: 4.5, or 3 if they are large).
FAINT = """
const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => { const [r, g, b] = numbers(color).map((v) => channel(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (element) => { for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (numbers(color)[3] !== 0) return color; } return 'rgb(255, 255, 255)'; };
const faint = [];
for (const element of document.querySelectorAll('body *')) {
    const words = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
    if (!words.length || !element.checkVisibility() || element.closest('svg, script, noscript'))
        continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(style.color), light(behind(element))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24;
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5))
        faint.push(`${words[0].data.trim()}: ${style.color} on ${behind(element)}`);
}
return faint;
"""


class Browser:
    def __init__(self, folder):
        self._folder = folder
        self._driver = None

    def __enter__(self):
        options = webdriver.ChromeOptions()
        for option in (*OPTIONS, f"--user-data-dir={self._folder}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(
            "/usr/bin/chromedriver",
            log_path=str(self._folder / "driver.log"),
            popen_kw={"preexec_fn": dies_with_us()},
        )
        self._driver = webdriver.Chrome(service=service, options=options)
        return self

    def __exit__(self, *_):
        self._driver.quit()

    # What it is like

    def _tell(self, command, **arguments):
        return self._driver.execute_cdp_cmd(command, arguments)

    def reset(self):
        self.look()
        self.javascript(True)
        self.complaints()

    def leave(self):
        """From here on it asks no adapter anything."""
        self._driver.get("about:blank")
        self.complaints()

    def size(self, width, height=HEIGHT):
        self._tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def colours(self, *, dark):
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._tell("Emulation.setEmulatedMedia", features=[scheme])

    def javascript(self, on):
        """Off, the page's own does not run; run() still does."""
        self._tell("Emulation.setScriptExecutionDisabled", value=not on)

    def look(self, *, dark=False, width=1280):
        self.colours(dark=dark)
        self.size(width)

    def show(self, url):
        self._driver.get(url)

    # What is there

    def run(self, script, *arguments):
        return self._driver.execute_script(script, *arguments)

    def all(self, selector):
        return self._driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self._driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """As it is seen."""
        return self.run("return document.querySelector(arguments[0]).innerText", selector).strip()

    def texts(self, selector):
        """Of each, on one line."""
        each = "(e) => (e.innerText ?? e.textContent).replace(/[ \\t\\n]+/g, ' ').trim()"
        script = f"return [...document.querySelectorAll(arguments[0])].map({each})"
        return self.run(script, selector)

    def attribute(self, selector, name):
        """As the page has it."""
        script = "return document.querySelector(arguments[0]).getAttribute(arguments[1])"
        return self.run(script, selector, name)

    def wait_text(self, selector, words, limit=45):
        wait_until(
            lambda: words in self.text(selector), f"{words!r} in {selector}", limit, pause=0.05
        )

    @property
    def title(self):
        return self._driver.title

    def focused(self):
        """The id of the element that has the focus, or its name."""
        return self.run("const e = document.activeElement; return e.id || e.tagName")

    def press(self, *keys):
        actions = webdriver.ActionChains(self._driver)
        actions.send_keys(*keys).perform()

    def is_too_wide(self):
        """Whether one would have to scroll sideways."""
        script = "const e = document.documentElement; return e.scrollWidth > e.clientWidth"
        return self.run(script)

    def faint_words(self):
        return self.run(FAINT)

    def accessibility_tree(self):
        """What a screen reader is given: pairs of role and name."""
        nodes = self._tell("Accessibility.getFullAXTree")["nodes"]
        shown = [node for node in nodes if not node["ignored"] and "role" in node]
        return [(n["role"]["value"], n.get("name", {}).get("value", "").strip()) for n in shown]

    def complaints(self):
        """What the console has shown since the last call, and is no answer of 503 or none at all."""
        log = self._driver.get_log("browser")
        return [entry["message"] for entry in log if entry["source"] != "network"]

    def screenshot(self, name):
        """All of the page, if a folder for it was named."""
        if not SCREENSHOTS:
            return
        width, height = self.run(
            "const e = document.documentElement; return [e.clientWidth, e.scrollHeight]"
        )
        self.size(width, height)
        self._driver.save_screenshot(str(Path(SCREENSHOTS) / f"{name}.png"))
        self.size(width)
