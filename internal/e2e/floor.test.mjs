// The warehouse floor on a telephone's touch screen, with a scanner that types.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { launch, person, at, press, findings, story, base } from './lib.mjs';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const code = 'PR-00001'; // of the planted faults: its cubic feet are a tenth of what its sides make
let browser;
const people = {};

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const as = async (role, options = phone) => { people[role] ??= await person(browser, `${role}@rivermark`, options); return people[role]; };
const step = story(test);

// scan types as a scanner does: each key 2 ms after the one before, and Enter.
async function scan(page, text) {
  await page.keyboard.type(text, { delay: 2 });
  await page.keyboard.press('Enter');
}

async function list(page) {
  await page.goto(`${base}/dimensions`);
  await at(page, 'dimension_list');
  await page.locator('html[data-scanner="ready"]').waitFor();
}

step('the work list says what is next and why, and is large enough for gloves', async () => {
  const page = await as('warehouse.staff');
  await list(page);
  for (let tries = 0; await page.locator('[data-tasks] [data-task]').count() === 0; tries++) { // the scheduler plans when it starts
    assert.ok(tries < 60, 'the work list stays empty');
    await page.waitForTimeout(1000);
    await list(page);
  }
  assert.deepEqual(await findings(page), []);
  const small = await page.evaluate(() => [...document.querySelectorAll('main .floor :is(a.button, a.go, button, summary, input:not([type=hidden]))')]
    .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 56).map((one) => `${one.outerHTML.slice(0, 80)} ${one.getBoundingClientRect().height}`));
  assert.deepEqual(small, []);
  for (const width of [360, 390]) {
    await page.setViewportSize({ width, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `wider than ${width}`);
  }
});

step('a scan opens the material from any focus, and slow typing is left alone', async () => {
  const page = await as('warehouse.staff');
  await list(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.type('PR-', { delay: 150 });
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#scan').inputValue(), '');
  await at(page, 'dimension_list');
  await Promise.all([page.waitForURL(/\/measure/), scan(page, code)]);
  await at(page, 'measure');
  assert.match(await page.locator('h1').innerText(), new RegExp(code));
});

step('fifty scans in a second: none is lost, none is doubled', async () => {
  const page = await as('warehouse.staff');
  await list(page);
  await page.evaluate(() => document.activeElement.blur());
  const all = Array.from({ length: 50 }, (_, i) => `LOT-${String(i).padStart(4, '0')}`);
  const began = Date.now();
  await page.evaluate(async (codes) => {
    const key = (k) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true }));
    for (const one of codes) {
      for (const k of one) key(k);
      key('Enter');
      await new Promise((next) => setTimeout(next, 18));
    }
  }, all);
  assert.ok(Date.now() - began < 3000);
  await page.locator('[data-scanned] a').nth(49).waitFor();
  assert.deepEqual(await page.locator('[data-scanned] a').allInnerTexts(), all);
});

// enter answers one step after the other, by typing, and gives the last page.
async function enter(page, values, unit = 'in') {
  for (const [name, value] of Object.entries(values)) {
    await page.locator(`[data-step="${name}"]`).waitFor();
    if (name !== 'weight') await page.locator(`[name="${name}_unit"][value="${unit}"]`).check();
    await page.locator(`input#${name}`).fill(value);
    await press(page, 'next');
  }
  await page.locator('[data-step="check"]').waitFor();
}

async function open(page) {
  await list(page);
  await page.locator('#scan').fill(code);
  await Promise.all([page.waitForURL(/\/measure/), page.locator('#scan').press('Enter')]);
  await at(page, 'measure');
}

let recorded;

step('one quantity after the other, blind, and a mark of the ruler counts', async () => {
  const page = await as('warehouse.staff');
  const desk = await as('warehouse.supervisor', {});
  await desk.goto(`${base}/dimensions?scan=${code}`);
  await at(desk, 'measure');
  await desk.goto(desk.url().replace(/\/measure.*/, ''));
  await at(desk, 'material_show');
  recorded = await desk.locator('main').innerText();
  const volume = /Volume\s+([\d.]+) ft/.exec(recorded)[1];
  await open(page);
  assert.ok(!(await page.content()).includes(volume), 'the recorded volume is in the page');
  await page.locator('input#height').fill('H:500');
  await press(page, 'next');
  await page.locator('[data-step="width"]').waitFor();
  assert.match(await page.locator('[data-typed="height"]').innerText(), /500\s*mm/);
  await page.locator('input#width').fill('12,5');
  await press(page, 'next');
  assert.match(await page.locator('.problem').innerText(), /12\.5/);
  assert.deepEqual(await findings(page), []);
  await press(page, 'back');
  await page.locator('[data-step="height"]').waitFor();
});

step('beyond the tolerance a second person measures, and a supervisor decides', async () => {
  const values = { height: '40', width: '30', thickness: '40', weight: '860' };
  for (const role of ['warehouse.staff', 'qa.engineer']) {
    const page = await as(role);
    await open(page);
    await enter(page, values);
    assert.deepEqual(await findings(page), []);
    await press(page, 'save');
    if (await page.locator('[name="sure"]').count() > 0) {
      await page.locator('[name="sure"]').check();
      await press(page, 'save');
    }
    await at(page, 'dimension_list');
  }
  const staff = await as('warehouse.staff');
  await open(staff);
  assert.equal(await staff.locator('[data-why-not]').count(), 1);
  const page = await as('warehouse.supervisor', {});
  await page.goto(`${base}/waiting`);
  await Promise.all([page.waitForURL(/\/dimensions\/reviews\//), page.locator('[data-kind="dimension_review"] a').first().click()]);
  await at(page, 'dimension_review');
  assert.deepEqual(await findings(page), []);
  await page.locator('[name="note"]').fill('Both measured the same.');
  await press(page, 'approve');
  await at(page, 'dimension_reviews');
  await page.goto(`${base}/dimensions`);
  await at(page, 'dimension_list');
});
