// What a page gains when script runs. Every page works without it.
//
//   buttons      say that they were pressed and cannot be pressed twice
//   theme        switches at once, and tells the server to remember
//   live pages   [data-live] is asked again; [data-live-region] parts change
//   keys         / search, ? the list of keys, g + letter, j and k through rows

const root = document.documentElement;
const main = document.querySelector("main");

// --- Buttons --------------------------------------------------------------

let pressed = null;

document.addEventListener("submit", (event) => {
	const form = event.target;
	if (form.method === "dialog" || form.matches("[data-theme-switch]") || form.method !== "post") {
		return;
	}
	if (form.dataset.sent) {
		event.preventDefault();
		return;
	}
	form.dataset.sent = "yes";
	const button = event.submitter;
	if (button?.dataset.pressed) {
		pressed = { button, words: button.textContent };
		// Not `disabled`: a disabled button would lose its focus and its value.
		button.setAttribute("aria-disabled", "true");
		button.textContent = button.dataset.pressed;
	}
});

// Coming back with the browser's own button shows the page as it was kept.
window.addEventListener("pageshow", (event) => {
	if (!event.persisted) {
		return;
	}
	document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
	if (pressed) {
		pressed.button.textContent = pressed.words;
		pressed.button.removeAttribute("aria-disabled");
		pressed = null;
	}
});

// --- Theme ----------------------------------------------------------------

document.addEventListener("submit", (event) => {
	const form = event.target;
	if (!form.matches("[data-theme-switch]") || !event.submitter) {
		return;
	}
	event.preventDefault();
	const theme = event.submitter.value;
	if (theme === "system") {
		delete root.dataset.theme;
	} else {
		root.dataset.theme = theme;
	}
	for (const button of form.querySelectorAll("button")) {
		button.setAttribute("aria-pressed", String(button === event.submitter));
	}
	const body = new URLSearchParams(new FormData(form));
	body.set("theme", theme);
	// If this is lost, only the memory of the choice is.
	fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
});

// --- Live pages -----------------------------------------------------------

const live = document.querySelector("[data-live]");

// A part in which somebody types, or has typed, is left alone.
function inUse(region) {
	if (region.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) {
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
	for (const name of ["data-state", "data-tone"]) {
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

async function refresh() {
	const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" }, cache: "no-store" });
	if (!answer.ok || answer.redirected) {
		return staleness(true);
	}
	const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
	if (fresh.querySelector("main")?.dataset.page !== main.dataset.page) {
		return staleness(true);
	}
	for (const next of regions(fresh)) {
		const name = next.dataset.liveRegion;
		const words = next.innerHTML;
		const here = regions(document).find((region) => region.dataset.liveRegion === name);
		if (here && words !== seen.get(name) && !inUse(here)) {
			seen.set(name, words);
			replace(here, next);
		}
	}
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

function watch() {
	for (const region of regions(document)) {
		seen.set(region.dataset.liveRegion, region.innerHTML);
		if (region.matches(".log")) {
			region.scrollTop = region.scrollHeight;
		}
	}
	const pause = Number(live.dataset.liveEvery || "5") * 1000;
	let asking = false;
	let over = false;
	let again = false;
	const ask = async () => {
		if (over || document.hidden) {
			return;
		}
		if (asking) {
			again = true;
			return;
		}
		asking = true;
		try {
			over = await refresh();
		} catch {
			staleness(true);
		}
		asking = false;
		if (again) {
			again = false;
			ask();
		}
	};
	setInterval(ask, pause);
	document.addEventListener("visibilitychange", ask);
	if (live.dataset.liveEvents) {
		const events = new EventSource(live.dataset.liveEvents);
		events.onmessage = ask;
		addEventListener("pagehide", () => events.close());
	}
}

if (live) {
	watch();
}

// --- Keys -----------------------------------------------------------------

const keys = document.getElementById("keys");
let going = false;

function row(step) {
	const rows = [...document.querySelectorAll("[data-row] a")];
	const at = rows.indexOf(document.activeElement);
	rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) {
		return;
	}
	if (going) {
		going = false;
		const place = { r: "releases", m: "migrations", h: "health", a: "audit" }[event.key];
		document.querySelector(`[data-nav="${place}"]`)?.click();
		return;
	}
	switch (event.key) {
		case "/":
			if (document.querySelector("[data-search]")) {
				event.preventDefault();
				document.querySelector("[data-search]").focus();
			}
			break;
		case "?":
			keys?.showModal();
			break;
		case "g":
			going = true;
			break;
		case "j":
			row(1);
			break;
		case "k":
			row(-1);
			break;
	}
});

// --- Menus and complaints -------------------------------------------------

document.addEventListener("click", (event) => {
	for (const menu of document.querySelectorAll("details.who[open]")) {
		if (!menu.contains(event.target)) {
			menu.open = false;
		}
	}
});

document.querySelector("[data-complaints]")?.focus();
root.dataset.script = "ready";
