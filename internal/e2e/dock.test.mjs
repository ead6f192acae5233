// The dock on a telephone's touch screen, with a scanner that types: a scan, one answer, the scan of the place.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { launch, person, at, press, findings, story, base } from './lib.mjs';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
let browser;
const people = {};
const as = async (role, options = phone) => { people[role] ??= await person(browser, `${role}@rivermark`, options); return people[role]; };
const step = story(test);

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

// scan types as a scanner does: each key 2 ms after the one before, and Enter.
async function scan(page, text) {
  await page.keyboard.type(text, { delay: 2 });
  await page.keyboard.press('Enter');
}

async function dock(page) {
  await page.goto(`${base}/cross-dock/dock`);
  await at(page, 'dock');
  await page.locator('html[data-scanner="ready"]').waitFor();
}

let facility;

step('the dock shows what stands there, and is large enough for gloves', async () => {
  const page = await as('warehouse.staff');
  await dock(page);
  for (let tries = 0; await page.locator('[data-tasks] [data-task]').count() === 0; tries++) { // the sample hands it in once it runs
    assert.ok(tries < 60, 'the dock stays empty');
    await page.waitForTimeout(1000);
    await dock(page);
  }
  facility = await page.locator('[data-filter="RM-MAIN"]').getAttribute('href');
  assert.deepEqual(await findings(page), []);
  const small = await page.evaluate(() => [...document.querySelectorAll('main .floor :is(a.button, a.go, button, summary, input:not([type=hidden]))')]
    .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 56).map((one) => one.outerHTML.slice(0, 80)));
  assert.deepEqual(small, []);
  for (const width of [360, 390]) {
    await page.setViewportSize({ width, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `wider than ${width}`);
  }
});

step('a scan from any focus gives one answer, and the scan of the place stores it', async () => {
  const page = await as('warehouse.staff');
  await page.goto(`${base}${facility}`);
  await at(page, 'dock');
  await page.locator('html[data-scanner="ready"]').waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await Promise.all([page.waitForURL(/\/store$/), scan(page, 'XD-0001')]);
  await at(page, 'dock_answer');
  assert.equal(await page.locator('[data-answer]').getAttribute('data-answer'), 'store');
  const told = await page.locator('[data-answer] .place').innerText();
  assert.deepEqual(await findings(page), []);
  await page.locator('html[data-scanner="ready"]').waitFor();
  await page.locator('#place').focus();
  await scan(page, 'NO-SUCH-PLACE');
  await page.locator('#place-problem').waitFor();
  assert.match(await page.locator('#place-problem').innerText(), /no location/);
  await page.locator('#place').focus();
  await scan(page, told.toLowerCase());
  await at(page, 'dock');
  assert.match(await page.locator('body').innerText(), new RegExp(`XD-0001 lies in ${told}`));
  // It is nobody's errand any more.
  await page.goto(`${base}${facility}&scan=XD-0001`);
  await at(page, 'dock');
  assert.match(await page.locator('[data-note]').innerText(), /Nothing is cancelled of lot XD-0001/);
});

step('what is bad is held, and what has no place stays', async () => {
  const page = await as('warehouse.staff');
  await page.goto(`${base}${facility}&scan=XD-0004`); // the fourth reason is a quality issue
  await at(page, 'dock_answer');
  assert.equal(await page.locator('[data-answer]').getAttribute('data-answer'), 'hold');
  assert.match(await page.locator('[data-answer] .place').innerText(), /^QUA/);
  await page.goto(`${base}${facility}&scan=XD-0006`);
  await at(page, 'dock_answer');
  assert.equal(await page.locator('[data-answer]').getAttribute('data-answer'), 'wait');
  assert.deepEqual(await findings(page), []);
});

step('a supervisor cancels by hand, finds it in the list, and what was typed is not lost', async () => {
  const page = await as('warehouse.supervisor', {});
  await page.goto(`${base}/cross-dock/new`);
  await at(page, 'cross_dock_new');
  await page.locator('[name="facility"]').selectOption('RM-MAIN');
  await page.locator('[name="lot"]').fill('XD-9999');
  await page.locator('[name="notes"]').fill('=SUM(A1)');
  await press(page, 'cancel');
  await at(page, 'cross_dock_new');
  assert.equal(await page.locator('[name="lot"]').inputValue(), 'XD-9999');
  assert.deepEqual(await findings(page), []);
  await page.locator('[name="lot"]').fill('XD-0001');
  await press(page, 'cancel');
  await at(page, 'cross_dock_show');
  assert.deepEqual(await findings(page), []);
  await page.goto(`${base}/cross-dock?standing=late`);
  await at(page, 'cross_dock_list');
  assert.ok(await page.locator('[data-row]').count() > 0, 'nothing is late');
  assert.deepEqual(await findings(page), []);
  const csv = await page.evaluate(async () => (await fetch('/cross-dock/csv')).text());
  assert.match(csv, /'=SUM\(A1\)/);
});
