// A keyboard-wedge scanner types what it reads, as fast as no person does, and ends with Enter or Tab. Wherever the focus is,
// that goes to the page's scan field and is sent; what a person types stays where it was typed.
//
// In the scan field itself nothing is done: the browser sends the form by its Enter, with or without this script.
//
// Where one scan follows another before the page could answer, none is sent: they are listed, each once, to be opened one by one.

const fast = 60;
const settle = 90;
const least = 3;

let burst = "";
let last = 0;
let before = null;
let scans = [];
let timer = 0;

const field = () => document.querySelector("[data-scan]");
const editable = (target) => target.matches?.("input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select");

// What stood in another field before the scanner typed into it is put back.
function restore() {
	if (before) {
		before.target.value = before.value;
		before.target.setSelectionRange?.(before.at, before.at);
	}
}

function list() {
	const into = field().form;
	let shown = document.querySelector("[data-scanned]");
	if (!shown) {
		shown = document.createElement("section");
		shown.dataset.scanned = "";
		shown.setAttribute("role", "status");
		const words = document.createElement("p");
		words.textContent = "Scanned one after the other. Nothing was sent; open them one by one:";
		shown.append(words, document.createElement("ul"));
		shown.lastChild.className = "tasks";
		into.after(shown);
	}
	for (const text of scans) {
		const link = document.createElement("a");
		const where = new URLSearchParams({ scan: text });
		const facility = into.querySelector("[name=facility]")?.value;
		if (facility) {
			where.set("facility", facility);
		}
		link.className = "go";
		link.href = `${into.matches("[role=search]") ? into.getAttribute("action") : "/dimensions"}?${where}`;
		link.textContent = text;
		link.dataset.scannedText = text;
		const item = document.createElement("li");
		item.append(link);
		shown.lastChild.append(item);
	}
}

// After the last scan has been quiet for a moment: one is sent, several are listed.
function settled() {
	const shown = document.querySelector("[data-scanned]");
	if (scans.length > 1 || shown) {
		list();
		scans = [];
		return;
	}
	const [text] = scans;
	scans = [];
	const into = field();
	into.value = text;
	into.focus();
	into.form.requestSubmit();
}

document.addEventListener("keydown", (event) => {
	const into = field();
	if (!into || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
		return;
	}
	if (event.target === into && scans.length === 0) {
		burst = "";
		return;
	}
	const now = performance.now();
	const quick = now - last <= fast;
	last = now;
	if (event.key === "Enter" || event.key === "Tab") {
		if (quick && burst.length >= least) {
			event.preventDefault();
			event.stopImmediatePropagation();
			restore();
			scans.push(burst);
			clearTimeout(timer);
			timer = setTimeout(settled, settle);
		}
		burst = "";
		before = null;
		return;
	}
	if (event.key.length !== 1) {
		return;
	}
	if (!quick || burst === "") {
		burst = event.key;
		before = editable(event.target) ? { target: event.target, value: event.target.value ?? "", at: event.target.selectionStart ?? 0 } : null;
		clearTimeout(timer);
		if (scans.length > 0) {
			timer = setTimeout(settled, settle + fast);
		}
		return;
	}
	burst += event.key;
	if (scans.length > 0) {
		clearTimeout(timer);
		timer = setTimeout(settled, settle + fast);
	}
	// In the middle of a scan no key is a command of the page; the first one cannot be known to be of a scan.
	if (!before) {
		event.stopImmediatePropagation();
		event.preventDefault();
	}
}, true);

document.documentElement.dataset.scanner = "ready";
