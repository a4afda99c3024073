// axe finds nothing in any view, light or dark.
import AxeBuilder from '@axe-core/playwright';
import { expect, openView, test, VIEWS } from './support.js';


for (const scheme of ['dark', 'light']) {
  for (const view of Object.keys(VIEWS)) {
    test(`axe finds nothing in ${view}, ${scheme}`, async ({ page, api }) => {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await openView(page, api, view);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(
        violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(' | ')}`,
        ),
      ).toEqual([]);
    });
  }
}

test('axe finds nothing where one comes in, nor in the dialog of people', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Start' })).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
  await page.getByRole('button', { name: 'Who are you?' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
});
