// Together: a list for an evening, and who would like what.
import { expect, open, picture, test } from './support.js';

test('several people get one list that says what each would think of it', async ({ page, api }, info) => {
  const people = [
    await api.person({ genres: ['Horror'] }),
    await api.person({ genres: ['Comedy'] }),
    await api.person({ genres: ['War'] }),
  ];
  await open(page, `#/together?users=${people.map(({ id }) => id).join()}`);
  const rows = page.locator('.ranking .rank');
  await expect(rows).toHaveCount(12);
  for (const person of people) await expect(rows.first().locator('.members')).toContainText(person.username);
  await picture(page, info, 'together');
  const expected = await api.get(`/recommendations/group?users=${people.map(({ id }) => id).join()}&limit=12`);
  await expect(page.locator('.ranking h2 a')).toHaveText(expected.recommendations.map(({ title }) => title));

  await page.getByLabel(/A treat for one/).check();
  await expect(page).toHaveURL(/by=most_pleasure/);
  await page.getByRole('button', { name: people[2].username }).click();
  await expect(rows.first().locator('.members li')).toHaveCount(2);
});

test('one person alone is asked to choose another', async ({ page, api }) => {
  const person = await api.person();
  await open(page, `#/together?users=${person.id}`);
  await expect(page.getByText(/Choose at least two people|Add two people/)).toBeVisible();
});
