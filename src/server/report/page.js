"use strict";
// Fetches the page anew every few seconds and puts what is new in the place of what was there: what
// has been opened stays open, and the focus stays. Says so when the adapter cannot be reached, for
// an old picture must not look like the present one.
(() => {
    const PERIOD_MS = 5000; // from an answer to the next question
    const PATIENCE_MS = 4000; // beyond the adapter's deadline, for the network
    const byId = (id) => document.getElementById(id);
    const live = byId("live"), lost = byId("lost"), said = byId("said"), pause = byId("pause");
    let paused = false, lostSince = null, timer = 0, busy = false;

    const title = document.title;
    const nameTab = (text) => { document.title = `${text} - ${location.host}`; };

    const conclusion = (main) =>
        `${main.querySelector("h1").textContent.trim()}. ${main.querySelector(".summary").textContent}`;

    // A selection would be gone with what it is in.
    function isSelecting() {
        const selection = document.getSelection();
        return !selection.isCollapsed && byId("main").contains(selection.anchorNode);
    }

    function show(fresh) {
        const old = byId("main"), main = document.adoptNode(fresh.getElementById("main"));
        const focused = document.activeElement && document.activeElement.id;
        for (const details of main.querySelectorAll("details")) {
            const before = byId(details.id);
            details.open = before !== null && before.open;
        }
        const news = conclusion(main);
        if (news !== conclusion(old))
            said.textContent = news;
        old.replaceWith(main);
        if (focused && byId(focused))
            byId(focused).focus({ preventScroll: true });
        document.querySelector("link[rel=icon]").replaceWith(
            document.adoptNode(fresh.querySelector("link[rel=icon]")));
        nameTab(fresh.title);
    }

    function tell() {
        byId("main").classList.toggle("stale", lostSince !== null);
        lost.hidden = lostSince === null;
        if (paused)
            live.textContent = "Paused";
        else if (lostSince !== null)
            live.textContent = "Trying again";
        else
            live.textContent = isSelecting() ? "Waits while text is selected" : "Live";
    }

    function lose() {
        if (lostSince !== null)
            return;
        lostSince = new Date();
        const time = lostSince.toISOString().slice(11, 19);
        lost.textContent = `The adapter cannot be reached since ${time} UTC. What is shown is older.`;
        nameTab("Unreachable");
    }

    async function refresh() {
        const deadline = Number(byId("main").dataset.deadline);
        const response = await fetch(location.pathname + location.search, {
            cache: "no-store",
            headers: { Accept: "text/html" },
            signal: AbortSignal.timeout(deadline + PATIENCE_MS),
        });
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        if (fresh.getElementById("main") === null)
            throw new Error("no page");
        lostSince = null;
        show(fresh);
    }

    // One at a time; the next is planned when the last has ended.
    async function turn() {
        clearTimeout(timer);
        if (busy || paused || document.hidden)
            return;
        busy = true;
        try {
            if (!isSelecting())
                await refresh();
        } catch {
            lose();
        }
        busy = false;
        tell();
        timer = setTimeout(turn, PERIOD_MS);
    }

    pause.hidden = false;
    pause.addEventListener("click", () => {
        paused = !paused;
        pause.textContent = paused ? "Go on" : "Pause";
        tell();
        turn();
    });
    document.addEventListener("visibilitychange", turn);
    nameTab(title);
    tell();
    timer = setTimeout(turn, PERIOD_MS);
})();
