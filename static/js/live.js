// What is open and changes by itself.
//
//   [data-live]          the page's own address; it is asked again every [data-live-every] seconds
//   [data-live-events]   server-sent events: they bring the lines of the log, and say when to ask for the rest
//   [data-live-region]   parts that change; [data-live-log] is the one to which events add lines
//   [data-live-version]  a region with a form, and what the form was made from; while it is in use it is left as it is
//   [data-live-moved]    inside it: words, where what it was made from has changed meanwhile
//   [data-live-seldom]   how often, in seconds, it is asked again while events say when to
//   [data-live-status]   says how this page learns of changes
//   [data-elapsed]       counts on between two looks
//
// Where events cannot be had, or stop, the page is asked again as if there were none.

const live = document.querySelector("[data-live]");
const main = document.querySelector("main");
// How often a page asks that events keep up to date: for what no event tells, and to find out that nobody answers.
const seldom = Number(live?.dataset.liveSeldom || "20") * 1000;
let stream = null;
let drawn = performance.now();

// The server gave a refused form back, or one that a sign-in had interrupted: what it holds is the person's, and so are the
// complaints beside it.
function kept(region) {
	return main.dataset.kept !== undefined
		&& [...region.querySelectorAll("input:not([type=hidden]), textarea, select")].some((field) => field.matches("[aria-invalid=true], :checked") || field.value !== "");
}

// A part in which somebody types, or has typed, is left alone.
function inUse(region) {
	if (kept(region)) {
		return true;
	}
	const at = document.activeElement;
	if (region.contains(at) && (at.matches("input, textarea, select") || (region.matches("[data-live-version]") && at.closest("form")))) {
		return true;
	}
	// What was chosen from a list is kept like what was typed; a list nobody touched shows its default, or its first line.
	const chosen = [...region.querySelectorAll("select")].some((list) =>
		list.selectedIndex !== Math.max(0, [...list.options].findIndex((option) => option.defaultSelected)),
	);
	if (chosen) {
		return true;
	}
	return [...region.querySelectorAll("input:not([type=hidden]), textarea")].some((field) =>
		field.type === "checkbox" || field.type === "radio"
			? field.checked !== field.defaultChecked
			: field.value !== field.defaultValue,
	);
}

function replace(region, fresh) {
	const unfolded = new Map();
	for (const part of region.querySelectorAll("details[id]")) {
		unfolded.set(part.id, part.open);
	}
	const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
	const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 24;
	region.replaceChildren(...fresh.childNodes);
	for (const name of ["data-state", "data-tone", "data-live-version"]) {
		if (fresh.hasAttribute(name)) {
			region.setAttribute(name, fresh.getAttribute(name));
		}
	}
	for (const [id, open] of unfolded) {
		const part = document.getElementById(id);
		if (part) {
			part.open = open;
		}
	}
	if (focused) {
		document.getElementById(focused)?.focus({ preventScroll: true });
	}
	if (atEnd) {
		region.scrollTop = region.scrollHeight;
	}
}

// `seen` holds what the server last sent for a region, so that only what the
// server changed changes on the page.
const seen = new Map();

function regions(within) {
	return [...within.querySelectorAll("[data-live-region]")];
}

// The part with the form, if the page has one: it is asked what has changed since the form was made.
function formed() {
	return document.querySelector("[data-live-version]");
}

function address() {
	const where = new URL(live.dataset.live, location.href);
	if (formed()) {
		where.searchParams.set("since", formed().dataset.liveVersion);
	}
	return where;
}

// Beside a form in use stand the words of the server, if what it is about has changed; a form that is fresh has none.
function sayMoved(fresh) {
	const here = document.querySelector("[data-live-moved]");
	if (!here) {
		return;
	}
	const told = inUse(formed()) ? fresh.querySelector("[data-live-moved]") : null;
	if (here.textContent !== (told?.textContent ?? "")) {
		here.replaceChildren(...(told?.childNodes ?? []));
	}
}

async function refresh() {
	const answer = await fetch(address(), { headers: { Accept: "text/html" }, cache: "no-store" });
	if (!answer.ok || answer.redirected) {
		return staleness(true);
	}
	const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
	if (fresh.querySelector("main")?.dataset.page !== main.dataset.page) {
		return staleness(true);
	}
	for (const next of regions(fresh)) {
		if (stream?.good && next.matches("[data-live-log]")) {
			continue;
		}
		if (next.matches("[data-live-moved]")) {
			continue;
		}
		const name = next.dataset.liveRegion;
		const words = next.innerHTML;
		const here = regions(document).find((region) => region.dataset.liveRegion === name);
		if (here && words !== seen.get(name) && !inUse(here)) {
			seen.set(name, words);
			replace(here, next);
			drawn = performance.now();
		}
	}
	sayMoved(fresh);
	staleness(false);
	if (!fresh.querySelector("[data-live]")) {
		// What we watched has ended: show the page of the end, words and all.
		if (![...document.querySelectorAll("main form")].some(inUse)) {
			location.reload();
		}
		return true;
	}
	return false;
}

// A page that cannot ask any more says so rather than looking current.
function staleness(stale) {
	let note = document.querySelector("[data-stale]");
	if (stale && !note) {
		note = document.createElement("p");
		note.className = "flash";
		note.dataset.stale = "";
		note.dataset.flash = "bad";
		note.setAttribute("role", "status");
		note.textContent = "This page cannot reach Gatehouse; it shows what was true at "
			+ new Date().toLocaleTimeString() + ". It keeps trying.";
		main.prepend(note);
	}
	if (!stale) {
		note?.remove();
	}
	return false;
}

// --- The log --------------------------------------------------------------

function lastLine(log) {
	return Number(log.querySelector("li:last-child")?.dataset.seq || "0");
}

// A line is added at the end. Whoever reads further up is left there.
function addLine(log, seq, line) {
	if (seq <= lastLine(log)) {
		return;
	}
	const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
	let list = log.querySelector("ol");
	if (!list) {
		list = document.createElement("ol");
		log.replaceChildren(list);
	}
	const row = document.createElement("li");
	row.dataset.seq = String(seq);
	row.dataset.tone = line.tone || "";
	const at = document.createElement("time");
	at.textContent = line.at;
	const text = document.createElement("span");
	text.textContent = line.text;
	row.append(at, " ", text);
	list.append(row);
	if (atEnd) {
		log.scrollTop = log.scrollHeight;
	}
}

// --- Events ---------------------------------------------------------------

class Stream {
	// good: events arrive now. heard: the server itself is told of changes, and need not ask for them.
	good = false;
	heard = false;

	constructor(ask) {
		this.ask = ask;
		this.log = document.querySelector("[data-live-log]");
	}

	open() {
		this.source?.close();
		clearTimeout(this.later);
		const address = new URL(live.dataset.liveEvents, location.href);
		if (this.log) {
			address.searchParams.set("after", String(lastLine(this.log)));
		}
		this.source = new EventSource(address);
		this.source.onopen = () => this.is(true, this.heard);
		this.source.onerror = () => {
			this.is(false, false);
			// A browser comes back by itself where the connection was cut, and not where it was refused.
			if (this.source.readyState === EventSource.CLOSED) {
				this.later = setTimeout(() => this.open(), seldom);
			}
		};
		this.source.addEventListener("line", (event) => {
			if (this.log) {
				addLine(this.log, Number(event.lastEventId), JSON.parse(event.data));
			}
		});
		this.source.addEventListener("change", this.ask);
		this.source.addEventListener("state", (event) => this.is(true, event.data === "listening"));
		for (const end of ["over", "away"]) {
			this.source.addEventListener(end, (event) => {
				if (event.data !== "stopping") {
					this.close();
				}
				this.ask();
			});
		}
	}

	is(good, heard) {
		const changed = good !== this.good;
		this.good = good;
		this.heard = heard;
		status();
		if (changed) {
			this.ask();
		}
	}

	close() {
		this.source?.close();
		clearTimeout(this.later);
		this.is(false, false);
	}
}

// How this page learns of changes, in words; nothing is called live that is not.
function status() {
	const word = document.querySelector("[data-live-status]");
	if (!word) {
		return;
	}
	const now = stream?.good && stream.heard;
	word.dataset.liveStatus = now ? "live" : "polling";
	word.textContent = now ? "Live: changes show at once." : `Asking again every ${live.dataset.liveEvery} s.`;
}

// --- Time that passes -----------------------------------------------------

function duration(ms) {
	if (ms < 1000) {
		return `${Math.floor(ms)} ms`;
	}
	if (ms < 60000) {
		return `${(ms / 1000).toFixed(1)} s`;
	}
	if (ms < 3600000) {
		return `${Math.round(ms / 60000)} min`;
	}
	return "";
}

function tick() {
	const place = document.querySelector("[data-elapsed-ms]");
	if (!place || document.hidden) {
		return;
	}
	const passed = Number(place.dataset.elapsedMs) + performance.now() - drawn;
	const words = duration(passed);
	if (words) {
		place.textContent = words;
	}
	const expected = Number(place.dataset.expectedMs || "0");
	if (expected > 0) {
		document.querySelector("[data-elapsed-bar]")?.setAttribute("width", `${Math.min(100, (100 * passed) / expected)}%`);
	}
}

// --- Watching -------------------------------------------------------------

function watch() {
	for (const region of regions(document)) {
		seen.set(region.dataset.liveRegion, region.innerHTML);
		if (region.matches(".log")) {
			region.scrollTop = region.scrollHeight;
		}
	}
	const often = Number(live.dataset.liveEvery || "5") * 1000;
	let asking = false;
	let over = false;
	let again = false;
	let asked = performance.now();
	const ask = async () => {
		if (over || document.hidden) {
			return;
		}
		if (asking) {
			again = true;
			return;
		}
		asking = true;
		asked = performance.now();
		try {
			over = await refresh();
		} catch {
			staleness(true);
		}
		asking = false;
		if (over) {
			stream?.close();
		}
		if (again) {
			again = false;
			ask();
		}
	};
	setInterval(() => {
		if (performance.now() - asked >= (stream?.good ? seldom : often) - 100) {
			ask();
		}
	}, 500);
	setInterval(tick, 250);
	if (live.dataset.liveEvents && "EventSource" in window) {
		stream = new Stream(ask);
		stream.open();
		addEventListener("pagehide", () => stream.close());
	}
	// A page that nobody looks at holds no connection.
	document.addEventListener("visibilitychange", () => {
		if (document.hidden || over) {
			stream?.close();
			return;
		}
		stream?.open();
		ask();
	});
	addEventListener("pageshow", (event) => {
		if (event.persisted && !over) {
			stream?.open();
		}
	});
	status();
}

if (live) {
	watch();
}
