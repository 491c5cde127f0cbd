// The status page, a client of /status?history like any other. The document that it came with is
// shown at once. Then the page fetches another every few seconds while it can be seen, and builds
// <main> anew from it: what has been opened stays open, and the focus stays. It says so when the
// adapter cannot be reached, for an old picture must not look like the present one.
//
// health.schema.json says what the document's members are. Their text only ever becomes text nodes.

const PERIOD_MS = 5000; // from an answer to the next question
const PATIENCE_MS = 4000; // beyond the adapter's deadline, for the network
const NAMES_SHOWN = 8;
const RUNS_SHOWN = 8;

// The worst first: the order of everything that is sorted.
const HEADINGS = {
    fail: "Failing",
    unknown: "Unknown",
    warn: "Warning",
    pass: "Passing",
    skipped: "Skipped",
};

const byId = (id) => document.getElementById(id);

// --- elements

// Some text or a node, or a list of these, within lists perhaps; empty is what has none.
const isEmpty = (content) => content === undefined || content === null || content.length === 0;

function element(tag, content, attributes = {}) {
    const made = document.createElement(tag);
    made.append(...[content].flat(Infinity));
    Object.assign(made, attributes);
    return made;
}

function svg(tag, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
}

// What page.html has as this template, with its slots filled. The state is the name of a verdict: it
// decides the icon and the colour.
function fill(template, slots, state) {
    const made = byId(`template-${template}`).content.firstElementChild.cloneNode(true);
    const places = [...made.querySelectorAll("[data-slot]")];
    for (const place of made.querySelectorAll("[data-if]"))
        if (isEmpty(slots[place.dataset.if])) place.remove();
    if (state) {
        (made.querySelector("[data-state]") ?? made).classList.add(state);
        made.querySelector(".icon use").setAttribute("href", `#icon-${state}`);
    }
    for (const place of places) place.append(...[slots[place.dataset.slot] ?? []].flat(Infinity));
    return made;
}

// The items with something between each two, made anew for each place.
const join = (items, between) => items.flatMap((item, i) => (i > 0 ? [between(), item] : [item]));
const comma = () => ", ";

// A long name may be broken at its underscores.
const breakable = (name) =>
    name.length > 40 ? join(name.split(/(?<=_)/), () => element("wbr", [])) : name;

// --- words for times, lengths of time and amounts

const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

const secondsBetween = (earlier, later) => (Date.parse(later) - Date.parse(earlier)) / 1000;

// The time of day in UTC, and the date of what is half a day or more before now.
function time(iso, now) {
    const date = secondsBetween(iso, now) >= 12 * 3600 ? `${iso.slice(0, 10)} ` : "";
    return element("time", date + iso.slice(11, 19), { dateTime: iso });
}

// The two largest units of a length of time, in whole seconds: "12 s", "3 min 12 s", "2 d 4 h".
function span(seconds) {
    const units = { d: 86400, h: 3600, min: 60, s: 1 };
    const names = Object.keys(units);
    const first = names.findIndex((name) => seconds >= units[name] || name === "s");
    let left = Math.floor(seconds);
    const words = names.slice(first, first + 2).map((name) => {
        const count = Math.floor(left / units[name]);
        left %= units[name];
        return `${count} ${name}`;
    });
    return words.filter((word, i) => i === 0 || !word.startsWith("0 ")).join(" ");
}

// A short time with the digits that matter: "0.04 ms", "1.2 ms", "35 ms", "1.2 s".
function took(seconds) {
    const ms = seconds * 1000;
    if (ms >= 1000) return `${seconds.toFixed(1)} s`;
    if (ms >= 10) return `${Math.floor(ms)} ms`;
    return `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}

function tookBetween(durations) {
    const [least, most] = [Math.min(...durations), Math.max(...durations)].map(took);
    return least === most ? least : `${least} to ${most}`;
}

// Seconds as they are configured.
const configured = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : span(seconds));

function bytes(count) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    const power = Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
    return `${(count / 1024 ** power).toFixed(1)} ${units[power]}`;
}

// Of the digits that JSON's numbers cannot hold, a string.
const isNumber = (value) => /^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(value);

// A value as it is, with the unit of its name: "348.2 s".
function exact(value, unit) {
    const units = { seconds: " s", bytes: " B" };
    return String(value) + (isNumber(value) ? (units[unit] ?? "") : "");
}

// The same for people: "2 h", "30 s", "10.0 GiB"; long digits in threes.
function amount(value, unit) {
    if (typeof value === "number" && unit === "seconds" && value >= 120) return span(value);
    if (typeof value === "number" && unit === "bytes" && value >= 1024) return bytes(value);
    const inThrees = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
    return exact(value, unit).replace(/^-?\d{5,}(?= |$)/, inThrees);
}

// --- the whole in a word

const has = (checks, verdict) => checks.some((check) => check.verdict === verdict);

const ofEndpoint = (report, name) =>
    report.checks.filter((check) => check.endpoints.includes(name));

// Each of these gives a state and words for it.
function unreadyMood(report) {
    const own = ofEndpoint(report, "readyz");
    if (has(own, "fail")) return ["fail", "Not ready"];
    if (report.adapter.draining) return ["fail", "Draining"];
    if (has(own, "unknown")) return ["unknown", "Not known to be ready"];
    return ["fail", "Not ready: no check says so"];
}

function mood(report) {
    const { checks, endpoints, configuration } = report;
    if (endpoints.healthz === "fail") return ["fail", "Down"];
    if (endpoints.readyz === "fail") return unreadyMood(report);
    if (has(checks, "fail")) return ["warn", "Ready, but not all is well"];
    const warns = has(checks, "warn") || has(checks, "unknown") || configuration.status === "warn";
    return warns ? ["warn", "Ready, with warnings"] : ["pass", "Ready"];
}

// "2 fail: accepting, lag", linked to them.
function summaryOf(verdict, checks) {
    const names = checks.filter((check) => check.verdict === verdict).map(({ name }) => name);
    if (names.length === 0) return [];
    const count = element("b", `${names.length} ${verdict}`);
    if (verdict === "pass" || verdict === "skipped") return [count];
    const links = names
        .slice(0, NAMES_SHOWN)
        .map((name) => element("a", name, { id: `to-${name}`, href: `#check-${name}` }));
    const more = names.length - links.length;
    return [count, ": ", join(links, comma), more > 0 ? ` and ${more} more` : []];
}

function summary(checks) {
    const parts = Object.keys(HEADINGS).map((verdict) => summaryOf(verdict, checks));
    const told = parts.filter((part) => part.length > 0);
    return told.length > 0 ? [join(told, () => "; "), "."] : "There is no check.";
}

// The one outcome of all the checks that fail, or else are unknown, if there are several.
function cause(checks) {
    const worst = has(checks, "fail") ? "fail" : "unknown";
    const [first, ...others] = checks.filter((check) => check.verdict === worst);
    const one = others.length > 0 && others.every((check) => check.outcome === first.outcome);
    if (!one || first.outcome === "failed") return {};
    const advice = first.advice ? [". ", element("b", "What to do:"), ` ${first.advice}`] : [];
    return { "cause-code": first.outcome, cause: [first.sentence, advice, "."] };
}

function serverName({ engine, flavor, version }) {
    const flavors = { postgres: "Postgres", mysql: "MySQL", mariadb: "MariaDB" };
    const engines = { postgres: "Postgres", mysql: "MySQL or MariaDB" };
    if (flavor) return `${flavors[flavor]} ${version}`;
    return engine ? `${engines[engine]}, which has let no probe in yet` : "No known server";
}

// --- endpoints and what is wrong beyond the checks

function endpointState(report, name, { verdict, httpStatus }) {
    const own = ofEndpoint(report, name);
    const passes = {
        pass: ["pass", "passes"],
        warn: ["warn", "passes, warns"],
        unknown: ["warn", "passes, unknown"],
    };
    const fails = {
        fail: ["fail", has(own, "fail") ? "fails" : "drains"],
        unknown: ["unknown", "unknown"],
        skipped: ["skipped", own.length > 0 ? "not its role" : "no check"],
    };
    return (httpStatus === 200 ? passes : fails)[verdict];
}

function endpoint(report, path, told) {
    const name = path.slice(1);
    const [state, words] = endpointState(report, name, told);
    const item = fill("endpoint", { path, words, status: told.httpStatus }, state);
    Object.assign(item.firstElementChild, { id: `endpoint-${name}`, href: `${name}?verbose` });
    return item;
}

const notice = (...words) => fill("notice", { words }, "warn");

function proberNotice(probers, status, ...words) {
    const names = Object.keys(probers).filter((name) => probers[name].status === status);
    const told = names.map((name) => element("b", name));
    return names.length > 0 ? notice(...words, join(told, comma), ".") : [];
}

// For how long it has been draining, if that is known.
const drained = ({ adapter: { drainingSince }, time: now }) =>
    drainingSince ? [`for ${span(Math.max(0, secondsBetween(drainingSince, now)))}`] : [];

// Who looks long after a drain file was made may not think of it.
function drainNotice(report) {
    const { draining, drainingSince, since } = report.adapter;
    if (!draining) return [];
    return notice(
        "The adapter is draining: readiness fails until that is over.",
        drained(report).map((words) => ` It has been so ${words}.`),
        drainingSince && drainingSince < since ? " Its drain file was there when it started." : [],
    );
}

const notices = (report) => [drainNotice(report), ...faults(report)];

const faults = ({ adapter: { probers }, configuration: { output } }) => [
    output ? notice(`The adapter's configuration: ${output}.`) : [],
    proberNotice(
        probers,
        "fail",
        "Not the server's fault: a prober crashes or cannot be started, so ",
        element("b", "/livez"),
        " fails. It is ",
    ),
    proberNotice(probers, "warn", "The server has not answered the login of "),
];

// --- a check's values beside their limits

// The share of the limit that the value has come to, as a bar, and where it begins to warn. The words
// beside it say the same.
function gauge({ observedValue, limits }) {
    const [width, height] = [60, 6];
    const upper = limits.filter(
        ({ comparison, value }) => (comparison === ">" || comparison === ">=") && value > 0,
    );
    const end = upper.find(({ effect }) => effect === "fail") ?? upper[0];
    if (!end || typeof observedValue !== "number" || observedValue < 0) return [];
    const bar = (name, share) => svg("rect", { class: name, width: share * width, height, rx: 3 });
    const warn = upper.find(({ effect, value }) => effect === "warn" && value < end.value);
    const tick = warn && { x: (warn.value / end.value) * width, width: 1.5, height };
    return svg(
        "svg",
        { class: "gauge", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
        bar("all", 1),
        bar("used", Math.min(1, observedValue / end.value)),
        ...(tick ? [svg("rect", { class: "tick", ...tick })] : []),
    );
}

// "fails > 5 min for 20 s"; what is short is not broken.
function limitWords({ effect, comparison, value: limit, forSeconds }, unit) {
    const effects = { fail: "fails", warn: "warns", skip: "skipped" };
    const lasting = forSeconds ? ` for ${configured(forSeconds)}` : "";
    const words = `${effects[effect]} ${comparison} ${amount(limit, unit)}${lasting}`;
    return element("span", words, { className: words.length < 24 ? "short" : "" });
}

function value({ name, observedValue, observedUnit, limits }) {
    return fill("value", {
        name: breakable(name),
        value: amount(observedValue, observedUnit),
        gauge: gauge({ observedValue, limits }),
        limits: join(
            limits.map((limit) => limitWords(limit, observedUnit)),
            comma,
        ),
    });
}

// What has limits. Of a check that passes, what is no number says nothing: it is what it should be.
function values(check) {
    if (check.verdict === "skipped") return [];
    return check.values
        .filter((told) => told.limits && told.observedValue !== undefined)
        .filter((told) => check.verdict !== "pass" || isNumber(told.observedValue))
        .map(value);
}

// --- a check's past, in pictures. Sizes are in units of the viewBox; the style sheet says how large
// they are shown.

// How long the latest runs took, the older to the left. A result from no run interrupts the line; a
// lone one is a dot (h0).
function line(durations, label) {
    const [step, places, height, margin] = [2, 60, 24, 2];
    const most = Math.max(...durations);
    const points = durations.map((duration, i) => {
        const x = (places - durations.length + i) * step;
        const y = height - margin - (duration / most) * (height - 2 * margin);
        if (duration === null) return "";
        return (durations[i - 1] ?? null) === null
            ? `M${x} ${y.toFixed(1)}h0`
            : `L${x} ${y.toFixed(1)}`;
    });
    const frame = { viewBox: `0 0 ${places * step} ${height}`, preserveAspectRatio: "none" };
    return svg(
        "svg",
        { ...frame, role: "img", "aria-label": label },
        svg("path", { class: "line", d: points.join("") }),
    );
}

function latency({ results }) {
    const durations = results.flatMap((run) => run.durationsSeconds);
    const known = durations.filter((duration) => duration !== null);
    if (known.length === 0) return {};
    return {
        line: line(durations, `Time of the latest runs (${known.length}): ${tookBetween(known)}`),
        latest: took(known.at(-1)),
        most: `\u00b7 max ${took(Math.max(...known))}`,
    };
}

// What a minute's bar is drawn as, from its left upper corner on. A failure stands out above all; a
// warning is broken, and what is unknown is hollow: its line is drawn, not its area.
const BARS = {
    pass: "5h4v19h-4z",
    warn: "5h4v8h-4zm0 10h4v9h-4z",
    fail: "0h4v24h-4z",
    unknown: "5.5h3v18h-3z",
    skipped: "18h4v6h-4z",
    none: "22h5v1h-5z",
};
const BAR_STEP = 5;
const BAR_HEIGHT = 24;

const stateOf = (verdict) => verdict ?? "none";
const wordOf = (verdict) => verdict ?? "no result";

const bar = (index, verdict) =>
    `M${index * BAR_STEP + (verdict === "unknown" ? 0.5 : 0)} ${BARS[stateOf(verdict)]}`;

// The last hour, a bar a minute: one shape for each run of minutes with the same verdict, which says
// so when it is pointed at.
function hour(runs, label, now) {
    let index = 0;
    const shapes = runs.map(({ start, minutes, verdict }) => {
        const bars = Array.from({ length: minutes }, () => bar(index++, verdict));
        const end = Math.min(Date.parse(start) + minutes * 60000, Date.parse(now));
        const title = `${clock(Date.parse(start))} to ${clock(end)}: ${wordOf(verdict)}`;
        const path = { class: stateOf(verdict), d: bars.join("") };
        return svg("path", path, svg("title", {}, title));
    });
    const frame = { viewBox: `0 0 ${index * BAR_STEP} ${BAR_HEIGHT}`, preserveAspectRatio: "none" };
    return svg("svg", { class: "hour", ...frame, role: "img", "aria-label": label }, ...shapes);
}

// A warning counts as the endpoints count it.
function past({ minutes: runs }, now) {
    const count = (verdict) =>
        runs.reduce((sum, run) => sum + (run.verdict === verdict ? run.minutes : 0), 0);
    const told = [...Object.keys(HEADINGS), null]
        .filter((verdict) => count(verdict) > 0)
        .map((verdict) => `${count(verdict)} ${wordOf(verdict)}`);
    const well = count("pass") + count("warn");
    const judged = well + count("fail") + count("unknown");
    return {
        hour: hour(runs, `Last hour, by minute: ${told.join(", ")}`, now),
        well: judged > 0 ? `${well} of ${judged} min well` : null,
    };
}

const legend = () =>
    [...Object.keys(BARS).slice(0, -1), null].map((verdict) => {
        const frame = { class: "sample", viewBox: `0 0 ${BAR_STEP - 1} ${BAR_HEIGHT}` };
        const path = svg("path", { class: stateOf(verdict), d: bar(0, verdict) });
        const sample = svg("svg", { ...frame, "aria-hidden": "true" }, path);
        return [element("span", [sample, ` ${wordOf(verdict)}`]), " "];
    });

// Results in a row with the same outcome: how many, when, how long they took.
function result({ verdict, outcome, count, first, latest, durationsSeconds }, now) {
    const known = durationsSeconds.filter((duration) => duration !== null);
    const when = [time(first, now), count > 1 ? [" to ", time(latest, now)] : []];
    return fill(
        "result",
        { count, verdict, outcome, when, took: known.length > 0 ? tookBetween(known) : "" },
        verdict,
    );
}

function results({ results: runs }, now) {
    const sum = (some) => some.reduce((total, run) => total + run.count, 0);
    const shown = runs.slice(-RUNS_SHOWN).reverse();
    return {
        results: shown.map((run) => result(run, now)),
        "result-count": sum(runs),
        older: sum(runs) - sum(shown) || null,
    };
}

// --- a check

function since(check, now) {
    if (!check.since) return "at this moment";
    const length = span(secondsBetween(check.since, now));
    return [check.changed ? `for ${length}, since ` : "since before ", time(check.since, now)];
}

function why({ verdict, outcome, reason, sentence, advice }) {
    if (verdict === "skipped" || (verdict === "pass" && !reason)) return {};
    const ruled = (outcome === "ok" || outcome === "failed") && reason;
    return {
        code: outcome === "ok" ? null : outcome,
        why: ruled ? reason : sentence + (reason ? ` (${reason})` : ""),
        advice,
    };
}

const numbers = (check) =>
    check.values
        .filter(({ observedValue }) => observedValue !== undefined)
        .map(({ name, observedValue, observedUnit }) => [
            element("dt", element("code", breakable(name))),
            element("dd", exact(observedValue, observedUnit)),
        ]);

// "app, orders" of a row, or its number.
const rowName = ({ labels }, index) =>
    labels.length > 0 ? labels.map(({ value }) => String(value)).join(", ") : `row ${index + 1}`;

const rowValue = ({ name, observedValue, observedUnit }) => [
    element("code", breakable(name)),
    ` ${amount(observedValue, observedUnit)}`,
];

const row = (told, index) =>
    fill(
        "row",
        {
            name: rowName(told, index),
            verdict: told.verdict,
            values: join(told.values.map(rowValue), comma),
        },
        told.verdict,
    );

// Of a check that looks at each row.
const rows = ({ rows: told = [], rowsLeftOut }) =>
    told.length > 0 && {
        rows: told.map(row),
        "row-count": told.length + rowsLeftOut,
        "rows-left-out": rowsLeftOut > 0 ? String(rowsLeftOut) : null,
    };

function checkItem(check, now) {
    const { name, verdict, description, prober, everySeconds, time: began, nextRun } = check;
    const item = fill(
        "check",
        {
            name,
            verdict,
            description,
            prober,
            since: since(check, now),
            values: values(check),
            numbers: numbers(check),
            endpoints: check.endpoints.map((of) => `/${of}`).join(" ") || "none",
            timeout: configured(check.timeoutSeconds),
            cache: configured(check.cacheSeconds),
            every: everySeconds && configured(everySeconds),
            run: began && [time(began, now), `, ${span(check.ageSeconds)} ago`],
            next: nextRun && ["not before ", time(nextRun, now)],
            ...why(check),
            ...latency(check.history),
            ...past(check.history, now),
            ...rows(check),
            ...results(check.history, now),
        },
        verdict,
    );
    item.id = `check-${name}`;
    item.querySelector("details").id = `details-${name}`;
    item.querySelector("summary").id = `summary-${name}`;
    return item;
}

function group(report, verdict) {
    const checks = report.checks.filter((check) => check.verdict === verdict);
    if (checks.length === 0) return [];
    const made = fill("group", {
        heading: HEADINGS[verdict],
        count: checks.length,
        checks: checks.map((check) => checkItem(check, report.time)),
    });
    made.querySelector("h2").id = `are-${verdict}`;
    made.setAttribute("aria-labelledby", `are-${verdict}`);
    return made;
}

// --- the whole

function prober(name, told) {
    const states = { pass: "well", warn: "login unanswered", fail: "crashes or cannot be started" };
    return fill("prober", { name, ...told, state: states[told.status] }, told.status);
}

function build(report, [state, words]) {
    const { adapter, configuration, server, checks, time: now } = report;
    return fill(
        "main",
        {
            words,
            ...cause(checks),
            summary: summary(checks),
            server: serverName(server),
            roles: server.roles.join(" and "),
            time: time(now, now),
            endpoints: Object.entries(report.paths).map(([path, told]) =>
                endpoint(report, path, told),
            ),
            notices: notices(report),
            groups: Object.keys(HEADINGS).map((verdict) => group(report, verdict)),
            legend: legend(),
            version: adapter.version,
            start: time(adapter.since, now),
            read: time(configuration.time, now),
            reloads: configuration.reloads,
            refused: configuration.refusedReloads,
            mistakes: configuration.mistakes,
            draining: adapter.draining ? ["yes", ...drained(report)].join(", ") : "no",
            probers: Object.entries(adapter.probers).map(([name, told]) => prober(name, told)),
        },
        state,
    );
}

// --- the page

const [live, lost, said, pause] = ["live", "lost", "said", "pause"].map(byId);
let deadlineMs = 0;
let paused = false;
let lostSince = null;
let timer = 0;
let busy = false;

// The tab's icon has the form and colour of the state.
function nameTab(state, words) {
    const frame = { viewBox: "0 0 16 16", fill: "none", stroke: "#fff", "stroke-width": 1.9 };
    const shapes = [...byId(`icon-${state}`).children].map((shape) => shape.cloneNode());
    const colour = getComputedStyle(document.documentElement).getPropertyValue(`--${state}`);
    shapes[0].setAttribute("fill", colour);
    shapes[0].setAttribute("stroke", "none");
    const drawing = new XMLSerializer().serializeToString(svg("svg", frame, ...shapes));
    byId("tab-icon").href = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
    document.title = `${words} - dbhealthd - ${location.host}`;
}

const conclusion = (main) =>
    `${main.querySelector("h1").textContent.trim()}. ${main.querySelector(".summary").textContent}`;

// A selection would be gone with what it is in.
function isSelecting() {
    const selection = document.getSelection();
    return !selection.isCollapsed && byId("main").contains(selection.anchorNode);
}

function replace(main) {
    const old = byId("main");
    const focused = document.activeElement?.id;
    for (const { id } of old.querySelectorAll("details[open]"))
        main.querySelector(`#${id}`)?.setAttribute("open", "");
    old.replaceWith(main);
    if (focused) byId(focused)?.focus({ preventScroll: true });
}

function show(told) {
    const checks = Object.entries(told.checks).map(([name, [check]]) => ({ name, ...check }));
    const report = { ...told, checks };
    const [state, words] = mood(report);
    const main = build(report, [state, words]);
    const before = byId("main").querySelector("h1") && conclusion(byId("main"));
    if (before && before !== conclusion(main)) said.textContent = conclusion(main);
    replace(main);
    nameTab(state, words);
    deadlineMs = report.adapter.deadlineSeconds * 1000;
}

function tell() {
    byId("main").classList.toggle("stale", lostSince !== null);
    lost.hidden = lostSince === null;
    if (paused) live.textContent = "Paused";
    else if (lostSince !== null) live.textContent = "Trying again";
    else live.textContent = isSelecting() ? "Waits while text is selected" : "Live";
}

function lose(title, words) {
    lostSince ??= Date.now();
    const told = `${words} since ${clock(lostSince)} UTC. What is shown is older.`;
    if (lost.textContent !== told) lost.textContent = told; // else it would be said again
    document.title = `${title} - dbhealthd - ${location.host}`;
}

// The document. What a proxy says, or an adapter that ends, is none: null.
async function ask() {
    const patience = AbortSignal.timeout(deadlineMs + PATIENCE_MS);
    try {
        const response = await fetch("status?history", { cache: "no-store", signal: patience });
        const told = await response.json();
        return told.adapter && told.checks ? told : null;
    } catch {
        return null;
    }
}

async function refresh() {
    const told = await ask();
    if (told === null) {
        lose("Unreachable", "The adapter cannot be reached");
        return;
    }
    try {
        show(told);
        lostSince = null;
    } catch (error) {
        lose("Not shown", "The answer cannot be shown");
        reportError(error);
    }
}

// One at a time; the next is planned when the last has ended.
async function turn() {
    clearTimeout(timer);
    if (busy || paused || document.hidden) return;
    busy = true;
    if (!isSelecting()) await refresh();
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
show(JSON.parse(byId("document").textContent));
tell();
timer = setTimeout(turn, PERIOD_MS);
