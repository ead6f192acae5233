// Every page that a release has filled: no accessibility finding in either theme, no sideways scrolling at any width,
// the same content without script, and a way through with the keyboard alone.
import { test, before, after } from 'node:test';
import { readFile } from 'node:fs/promises';
import { at, assert, authenticate, base, launch, person } from './lib.mjs';

const axeSource = await readFile(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
let browser;
let paths;
before(async () => {
  browser = await launch();
  const page = await person(browser, 'devops.lead@rivermark');
  const release = await page.locator('[data-row] a').first().getAttribute('href');
  await page.goto(base + release);
  const run = await firstHref(page, '/migrations', 'a[href^="/migration-runs/"]');
  const operation = await firstHref(page, '/migrations/backups', 'a[href^="/operations/"]');
  const restore = await firstHref(page, '/migrations/backups', 'a[href$="/restore"]');
  const signature = await firstHref(page, `${release}/gates/final`, 'a[href^="/signatures/"]');
  paths = {
    releases: '/releases', start: '/releases/new', release, item: `${release}/items/PRE-P2`, auto: `${release}/items/P4.1`,
    gate: `${release}/gates/final`, window: `${release}/window`, migrations: '/migrations', migration: '/migrations/V0.0.20', undo: '/migrations/V0.0.22/down',
    repair: '/migrations/V0.0.22/repair', rehearsals: '/migrations/rehearsals',
    backups: '/migrations/backups', drift: '/migrations/drift',
    health: '/health-checks', audit: '/audit', me: '/me', missing: '/releases/no-such-thing',
    ...(run && { run }), ...(signature && { signature }), ...(operation && { operation }), ...(restore && { restore }),
  };
  await page.context().close();
});
after(async () => { await browser?.close(); });

async function firstHref(page, path, selector) {
  await page.goto(base + path);
  const link = page.locator(selector).first();
  return (await link.count()) ? link.getAttribute('href') : undefined;
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing, ${colorScheme}`, async () => {
    const page = await person(browser, 'devops.lead@rivermark', { colorScheme });
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(base + path);
      await page.evaluate(`${axeSource}; undefined`);
      const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`), [], `${name} (${path})`);
    }
    await page.context().close();
  });
}

test('no page scrolls sideways', async () => {
  for (const width of [1440, 820, 390]) {
    const page = await person(browser, 'devops.lead@rivermark', { viewport: { width, height: 844 } });
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(base + path);
      const [inner, whole] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
      assert.ok(whole <= inner, `${name} is ${whole} px wide on a screen of ${inner}`);
      if (process.env.EVERY_SCREENSHOT) {
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          await page.screenshot({ path: `${process.env.EVERY_SCREENSHOT}/${name}-${width}-${colorScheme}.png` });
        }
      }
    }
    await page.context().close();
  }
});

test('everything is there without script', async () => {
  const page = await person(browser, 'qa.lead@rivermark', { javaScriptEnabled: false });
  for (const [name, path] of Object.entries(paths)) {
    await page.goto(base + path);
    assert.ok((await page.locator('main').innerText()).length > 40, `${name} is not blank`);
  }
  await page.goto(base + paths.health);
  await page.locator('[data-action="check-now"]').click();
  await at(page, 'health');
  await page.context().close();
});

test('signing in and opening the release with the keyboard alone', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${base}/releases`);
  await press(page, 'a[data-action="sign-in"], main a[href^="/login"]');
  await authenticate(page, 'viewer@rivermark');
  await at(page, 'release_list');
  await press(page, '[data-row] a');
  await at(page, 'release_show');
  await context.close();

  // press walks with Tab until the thing has the focus, then Enter.
  async function press(p, selector) {
    for (let step = 0; step < 40; step++) {
      await p.keyboard.press('Tab');
      if (await p.evaluate((s) => document.activeElement?.matches(s), selector)) {
        const outline = await p.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.notEqual(outline, 'none', 'the focus is seen');
        await Promise.all([p.waitForNavigation(), p.keyboard.press('Enter')]);
        return;
      }
    }
    assert.fail(`Tab never reached ${selector}`);
  }
});
