import { waitFor } from '@mono/test-support'
import { createMailPage } from '@mono/test-support/sinks'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'

/** Each would set the global `harmed`, if it were anything but text. */
const markup = `<img src=x onerror="harmed=1"><script>harmed=1</script><a href="javascript:harmed=1">here</a>`

const maxBytes = 64 * 1024
const fill = (text: string) => text + 'x'.repeat(maxBytes - Buffer.byteLength(text))
const opening = 'start שלום مرحبا 👩‍👩‍👧‍👦 '

/** As long as a message may be: figures that take two places in JavaScript, letters of two parts, words from right to left. */
const largest = fill(opening + 'a\u0301🐇 '.repeat(8_000))

describePage('what people write', () => {
  test('is text wherever it is shown, and nothing of it runs', async ({ stage, smtpSink, cleanUp }) => {
    const site = await stage({ workers: ['chat', 'email', 'audit'] })
    await site.query(`UPDATE example.users SET name = 'Ada ' || $1 WHERE user_id = 'ada'`, [markup])
    await site.query(`UPDATE example.conversations SET title = 'Lunch ' || $1 WHERE conversation_id = 'lunch'`, [
      markup,
    ])
    const ada = await site.open('Ada')
    await ada.choose('Lunch')
    await ada.type(markup)
    await ada.untilNumbered(markup)
    await ada.notify({ title: `Title ${markup}`, text: `Text ${markup}`, byMail: true })
    await ada.region('Audit trail').getByText('USERS_NOTIFIED').waitFor()
    await waitFor(() => smtpSink.received.length === 2, { what: 'two mails' })
    const grace = await site.open('Grace')
    await grace.choose('Lunch')
    await grace.untilNumbered(markup)
    for (const { page, read } of [ada, grace]) {
      expect(await page.locator('img[src=x], a[href^=javascript], main script').count()).toBe(0)
      expect(await read('harmed')).toBeUndefined()
    }

    const mailPage = await createMailPage([{ name: 'sink', received: smtpSink.received }])
    cleanUp(() => mailPage.close())
    await grace.visit(mailPage.url)
    expect(await grace.page.getByRole('heading', { name: `Title ${markup}` }).count()).toBe(2)
    expect(await grace.read('harmed')).toBeUndefined()
  })

  test('is shown whole: as long as it may be, with figures, and from right to left', async ({ stage }) => {
    const site = await stage()
    const [ada, grace] = await Promise.all([site.open('Ada'), site.open('Grace')])
    for (const window of [ada, grace]) await window.choose('Lunch')
    await ada.type(largest)
    await grace.untilNumbered(largest.slice(0, 40))
    expect((await grace.messages())[0]).toContain(largest)
    expect(await grace.overflow()).toBe(0)
  })
})
