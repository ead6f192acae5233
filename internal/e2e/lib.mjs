// What every browser test needs: a browser, people, and words for what people do. Things are found by data-* and role,
// never by class; nothing sleeps.
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';

export const base = process.env.GATEHOUSE_URL;
export const release = 'REQ-STRATEGIC-AUTO-1766545799451';

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// person signs in as somebody of the demo and gives their page. Every person has a browser profile of their own.
export async function person(browser, username, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => { throw new Error(`script error on ${page.url()}: ${error.message}`); });
  await page.goto(`${base}/login?return=/releases`);
  await authenticate(page, username);
  await at(page, 'release_list');
  return page;
}

// authenticate types name and password at the provider, wherever a link has led to it.
export async function authenticate(page, username) {
  const form = page.locator('form[data-form="typed"]');
  await form.locator('[name="username"]').fill(username);
  await form.locator('[name="password"]').fill('demo');
  await form.locator('[data-action="sign-in"]').click();
}

// at waits until the page is the one of that name, complete.
export async function at(page, name) {
  await page.locator(`main[data-page="${name}"]`).waitFor();
}

export async function is(page, name) {
  return (await page.locator('main').getAttribute('data-page')) === name;
}

// press does the act of that name and waits for the page it leads to.
export async function press(page, action, scope = 'main') {
  const button = page.locator(`${scope} [data-action="${action}"]`).first();
  await Promise.all([page.waitForNavigation(), button.click()]);
}

export async function state(page, selector) {
  return page.locator(selector).first().getAttribute('data-state');
}

// story runs steps that build on each other: after one that failed, the others say so and do nothing.
export function story(test) {
  let broken = '';
  return (name, work) => test(name, async () => {
    assert.equal(broken, '', 'an earlier step failed');
    try {
      await work();
    } catch (error) {
      broken = name;
      throw error;
    }
  });
}

export { assert };
