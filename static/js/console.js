// What a page gains when script runs. Every page works without it.
//
//   buttons      say that they were pressed and cannot be pressed twice
//   theme        switches at once, and tells the server to remember
//   names        [data-expects]: the button of the form stays off until that is typed
//   files        [data-max-bytes]: one that is too large is said before it is sent
//   live pages   [data-live]: live.js keeps them up to date
//   clock        a device whose clock is more than 30 s off is told so
//   keys         / search, ? the list of keys, g + letter, j and k through rows

const root = document.documentElement;

// --- Files ----------------------------------------------------------------

// A server that refuses a large body while it arrives is often not heard. This one is said where the file was chosen.
function tooLarge(field) {
	return [...field.files].some((file) => file.size > Number(field.dataset.maxBytes));
}

document.addEventListener("change", (event) => {
	const field = event.target;
	if (!field.matches?.("input[type=file][data-max-bytes]")) {
		return;
	}
	const large = tooLarge(field);
	let words = field.parentElement.querySelector("[data-too-large]");
	if (large && !words) {
		words = document.createElement("p");
		words.className = "problem";
		words.dataset.tooLarge = "";
		words.setAttribute("role", "alert");
		words.textContent = `This file is larger than ${Number(field.dataset.maxBytes) / 1048576} MB. Choose another, or give a link to where it lies.`;
		field.before(words);
	}
	if (!large) {
		words?.remove();
	}
	if (large) {
		field.setAttribute("aria-invalid", "true");
	} else {
		field.removeAttribute("aria-invalid");
	}
});

document.addEventListener("submit", (event) => {
	const field = [...event.target.querySelectorAll("input[type=file][data-max-bytes]")].find(tooLarge);
	if (field) {
		event.preventDefault();
		event.stopImmediatePropagation();
		field.focus();
	}
});

// --- Buttons --------------------------------------------------------------

let pressed = null;

document.addEventListener("submit", (event) => {
	const form = event.target;
	if (form.method === "dialog" || form.matches("[data-theme-switch], [data-download]") || form.method !== "post") {
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
		// It keeps its width: a second press must meet it, and not the link that would move under the pointer.
		button.style.minWidth = `${button.offsetWidth}px`;
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
		pressed.button.style.minWidth = "";
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

// --- Keys -----------------------------------------------------------------

const keys = document.getElementById("keys");
let going = false;

function row(step) {
	const rows = [...document.querySelectorAll("[data-row] a, [data-rows] a")];
	const at = rows.indexOf(document.activeElement);
	rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) {
		return;
	}
	if (going) {
		going = false;
		const place = { w: "waiting", r: "releases", m: "migrations", h: "health", d: "dimensions", a: "audit" }[event.key];
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

// --- A button that waits for a name ----------------------------------------

for (const part of document.querySelectorAll("[data-expects]")) {
	const field = part.querySelector("input");
	const button = field.form.querySelector("button");
	const judge = () => {
		button.disabled = field.value !== part.dataset.expects;
	};
	field.addEventListener("input", judge);
	judge();
}

// --- Menus and complaints -------------------------------------------------

document.addEventListener("click", (event) => {
	for (const menu of document.querySelectorAll("details.who[open]")) {
		if (!menu.contains(event.target)) {
			menu.open = false;
		}
	}
});

if (document.querySelector("[data-live]")) {
	// If it cannot be had, the page is as good as its next reload.
	import("./live.js").catch(() => {});
}

if (document.querySelector("[data-scan]")) {
	// Without it the scan field is scanned into by having the focus.
	import("./scanner.js").catch(() => {});
}

// --- A clock that is wrong --------------------------------------------------

// The server says with each page what time it was. People act by the times they read, so a device that goes by another
// clock is told.
const arrived = performance.getEntriesByType("navigation")[0];
const told = arrived?.serverTiming?.find((entry) => entry.name === "now");
if (told) {
	const ahead = Date.now() - (performance.now() - arrived.responseStart) - Number(told.description);
	const off = Math.round(Math.abs(ahead) / 1000);
	if (off > 30) {
		const note = document.createElement("p");
		note.className = "notice";
		note.dataset.tone = "warn";
		note.dataset.skew = String(Math.round(ahead / 1000));
		note.setAttribute("role", "status");
		note.textContent = `The clock of this device is ${off < 120 ? `${off} s` : `${Math.round(off / 60)} min`} ${ahead > 0 ? "ahead of" : "behind"} the server's. `
			+ "Times on this page are the server's: go by those.";
		document.querySelector("main h1")?.after(note);
	}
}

document.querySelector("[data-complaints]")?.focus();
root.dataset.script = "ready";
