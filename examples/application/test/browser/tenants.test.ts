import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'

describePage('two tenants', () => {
  test('neither is shown anything of the other, by no address', async ({ stage }) => {
    const site = await stage({ workers: ['chat', 'audit'] })
    const ada = await site.open('Ada')
    await ada.choose('Lunch')
    await ada.type('Of tenant 1')
    await ada.untilNumbered('Of tenant 1')
    await ada.notify({ title: 'For tenant 1', text: 'Of tenant 1', byMail: false })
    await ada.region('Audit trail').getByText('USERS_NOTIFIED').waitFor()

    const zoe = await site.open('Zoë')
    const [{ id } = { id: '' }] = await site.query<{ id: string }>(
      'SELECT notification_id AS id FROM example.notifications',
    )
    await zoe.visit(`${site.origin}/?conversation=lunch`)
    await zoe.choose('Garden')
    expect(await zoe.region('Conversations').getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringContaining('Garden'),
    ])
    await zoe.region('Audit trail').getByRole('button', { name: 'Refresh' }).click()
    await zoe.type('Of tenant 2')
    await zoe.untilNumbered('Of tenant 2')
    await zoe.region('Audit trail').getByText('MESSAGE_SENT').waitFor()
    expect(await zoe.page.locator('main').textContent()).not.toMatch(/tenant 1|USERS_NOTIFIED|Ada|Lunch/)

    const answers = await zoe.page.evaluate(
      (paths) => Promise.all(paths.map(async (path) => (await fetch(path)).status)),
      ['/conversations/lunch/messages', `/notifications/${id}`, '/conversations/garden/messages'],
    )
    expect(answers).toEqual([404, 404, 200])
    const shown = await ada.messages()
    expect(shown).toHaveLength(1)
    expect(shown[0]).toContain('Of tenant 1')
  })
})
