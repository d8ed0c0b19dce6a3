import { waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'
import { deliver, listShown, registerAt } from './support/device.js'

describePage('notifications', () => {
  test('everybody is notified: by the service worker, by mail, and with a row in the audit trail', async ({
    stage,
    pushService,
    smtpSink,
  }) => {
    const site = await stage({ workers: ['push', 'email', 'audit'] })
    const device = pushService.subscribe()
    const grace = await site.open('Grace', { prepare: (context) => registerAt(context, device) })
    await grace.page.getByRole('button', { name: 'Allow notifications' }).click()
    await waitFor(async () => (await site.query('SELECT FROM push.devices')).length === 1, {
      what: 'the browser to be registered',
    })

    const ada = await site.open('Ada')
    await ada.notify({ title: 'Release', text: 'Version 20 is out.', byMail: true })
    const [message] = await waitFor(() => pushService.received.length > 0 && pushService.received, {
      what: 'the push service to be sent the notification',
    })
    await deliver(grace, message?.payload ?? '')
    expect(
      await waitFor(async () => (await listShown(grace)).length > 0 && listShown(grace), {
        what: 'the notification to be shown',
      }),
    ).toEqual([{ title: 'Release', body: 'Version 20 is out.' }])
    await waitFor(() => smtpSink.received.length === 2, { what: 'two mails' })
    for (const address of ['ada@example.com', 'grace@example.com']) {
      const [mail] = smtpSink.receivedBy(address)
      expect(mail?.subject).toBe('Release')
      expect(mail?.text).toContain('Version 20 is out.')
    }
    await ada.region('Audit trail').getByText('USERS_NOTIFIED').waitFor()
    // What the workers' ledgers say.
    for (const words of ['sent to 1 device', 'sent to 2 addresses'])
      await ada.report('Release').getByText(words).waitFor()
  })

  test('a registration that the browser itself refuses is told in words, and nobody is registered', async ({
    stage,
  }) => {
    const site = await stage({ workers: [] })
    // Chromium without a window has no push service.
    const ada = await site.open('Ada', { prepare: (context) => context.grantPermissions(['notifications']) })
    await ada.page.getByRole('button', { name: 'Allow notifications' }).click()
    await ada.untilAlert(/register with its push service/)
    expect(await site.query('SELECT FROM push.devices')).toEqual([])
  })
})
