import { waitFor } from '@mono/test-support'
import axe from 'axe-core'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'
import type { SiteWindow } from './support/site-window.js'

/** The findings of axe-core that keep somebody from using the page. */
async function findBarriers({ page }: SiteWindow): Promise<string[]> {
  await page.evaluate(axe.source)
  return await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join('; ')))`)
}

const looks = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'on a phone': { viewport: { width: 360, height: 740 } },
  'on a phone, dark': { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
} as const

describePage('the page for everybody', () => {
  test('has nothing that keeps somebody out: before the login and busy, light and dark, wide and narrow', async ({
    stage,
  }) => {
    const site = await stage({ workers: ['chat', 'push', 'email', 'audit'] })
    const found: [string, string[]][] = []
    for (const [look, options] of Object.entries(looks)) {
      const window = await site.open(undefined, options)
      await window.untilLogin()
      found.push([`${look}, before the login`, await findBarriers(window)])
      await window.logIn('Ada')
      await window.choose('Lunch')
      await window.type(`Hello, ${look}`)
      await window.untilNumbered(`Hello, ${look}`)
      await window.notify({ title: `News, ${look}`, text: 'There is news.', byMail: true })
      await window.region('Audit trail').getByText('USERS_NOTIFIED').first().waitFor()
      found.push([`${look}, busy`, await findBarriers(window)])
      expect([look, await window.overflow()]).toEqual([look, 0])
      await window.context.setOffline(true)
      site.realtime.cut()
      await window.untilState('offline')
      found.push([`${look}, offline`, await findBarriers(window)])
      await window.close()
    }
    expect(found.filter(([, barriers]) => barriers.length > 0)).toEqual([])
  }, 300_000)

  test('is used by the keyboard alone', async ({ stage }) => {
    const site = await stage()
    const ada = await site.open()
    const { keyboard } = ada.page
    await ada.untilLogin()
    await ada.tabTo(/^Ada/)
    await keyboard.press('Enter')
    await ada.region('Conversations').waitFor()
    await ada.tabTo(/Release/)
    await keyboard.press('Enter')
    await ada.untilState('live')
    await ada.tabTo(/^Message$/)
    await keyboard.type('by the keyboard')
    await ada.tabTo(/^Send$/)
    await keyboard.press('Enter')
    await ada.untilNumbered('by the keyboard')
    await ada.tabTo(/^Title$/)
    await keyboard.type('News')
    await ada.tabTo(/^Text$/)
    await keyboard.type('By the keyboard')
    await ada.tabTo(/^Also by mail/)
    await keyboard.press('Space')
    await ada.tabTo(/^Notify$/)
    await keyboard.press('Enter')
    await ada.report('News').waitFor()
    // The button was disabled for a moment, and the next notification begins with its title.
    await waitFor(() => ada.page.evaluate('document.activeElement.id === "notify-title"'), {
      what: 'the focus to move',
    })
    await ada.tabTo(/^Log out$/)
    await keyboard.press('Enter')
    await ada.untilLogin()
    expect(
      await site.query('SELECT title, email_message_id IS NULL AS "isPushOnly" FROM example.notifications'),
    ).toEqual([{ title: 'News', isPushOnly: false }])
  })
})
