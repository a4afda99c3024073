// Nothing that is there already moves when more arrives, in whatever order it does.
import { expect, openView, test, VIEWS } from './support.js';

const LONGEST_WAIT = 600;

for (const view of Object.keys(VIEWS)) {
  test(`nothing moves while ${view} loads`, async ({ page, api }) => {
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const { sources } of list.getEntries()) window.shifts.push(...sources.map(({ node }) => node?.outerHTML));
      }).observe({ type: 'layout-shift', buffered: true });
    });
    // The first answer comes last.
    let wait = LONGEST_WAIT;
    await page.route('**/api/v1/**', async (route) => {
      const mine = wait;
      wait = Math.max(0, wait - 200);
      await new Promise((resolve) => setTimeout(resolve, mine));
      await route.continue();
    });
    await openView(page, api, view);
    await page.waitForTimeout(LONGEST_WAIT);
    expect(await page.evaluate(() => window.shifts)).toEqual([]);
  });
}
