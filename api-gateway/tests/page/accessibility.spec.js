// axe finds nothing in any view, light or dark.
import AxeBuilder from '@axe-core/playwright';
import { expect, open, test } from './support.js';

const VIEWS = {
  discover: '.card a',
  movie: '.neighbours .card a',
  'for-you': '.ranking .rank',
  together: '.ranking .rank',
  catalogue: '.jobs, .progress',
  'catalogue/new': 'textarea',
  status: '.service',
};

for (const scheme of ['dark', 'light']) {
  for (const [view, ready] of Object.entries(VIEWS)) {
    test(`axe finds nothing in ${view}, ${scheme}`, async ({ page, api }) => {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const people = [await api.person({ likes: [(await api.movie('Alien')).id] }), await api.person()];
      const hashes = {
        movie: `#/movie/${(await api.movie('Alien')).id}`,
        together: `#/together?users=${people.map(({ id }) => id)}`,
      };
      await open(page, hashes[view] ?? `#/${view}`, people[0]);
      await expect(page.locator(ready).first()).toBeVisible();
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
