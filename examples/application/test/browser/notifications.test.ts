import { waitFor } from '@mono/test-support'
import type { Route } from 'playwright-core'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'
import { deliver, isRegistered, listShown, registerAt } from './support/device.js'

/** The page is not told of the browser's registration before `letGo` is called. */
const holdSubscription = `{
  const { prototype } = PushManager
  const { getSubscription } = prototype
  const released = new Promise((resolve) => { globalThis.letGo = resolve })
  prototype.getSubscription = async () => { await released; return await getSubscription() }
}`

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
    // The workers' ledgers say so.
    for (const words of ['sent to 1 device', 'sent to 2 addresses'])
      await ada.report('Release').getByText(words).waitFor()
  })

  test('whoever logs out while the page looks at the registration has none afterwards', async ({
    stage,
    pushService,
  }) => {
    const site = await stage({ workers: [] })
    const grace = await site.open('Grace', { prepare: (context) => registerAt(context, pushService.subscribe()) })
    const device = grace.region('Notifications on this device')
    const devices = () => site.query('SELECT FROM push.devices')
    await grace.page.getByRole('button', { name: 'Allow notifications' }).click()
    await device.getByText(/^On\./).waitFor()
    let held: Route | undefined
    await grace.context.route('**/devices', async (route) => {
      if (route.request().method() === 'POST') held = route
      else await route.continue()
    })
    await grace.context.addInitScript(holdSubscription)
    const logOut = grace.page.getByRole('button', { name: 'Log out' })
    let couldLogOut: boolean | undefined
    await grace.context.route('**/conversations', async (route) => {
      couldLogOut = await logOut.isVisible()
      await route.continue()
    })
    await grace.page.reload()
    await logOut.click()
    // The part of the page that takes the device away was not there yet.
    expect(couldLogOut).toBe(false)
    await grace.page.evaluate('letGo()')
    const registration = await waitFor(() => held, { what: 'the page to register' })
    // The server knows of it since before.
    await device.getByText(/^On\./).waitFor()
    expect(await devices()).toHaveLength(1)
    await registration.fulfill({ status: 503, json: { error: 'Busy', accepted: false } })
    await grace.untilLogin()
    expect(await devices()).toEqual([])
    expect(await isRegistered(grace)).toBe(false)
  })

  test('whoever logs out of a session that has ended is not registered in the browser any more', async ({
    stage,
    pushService,
  }) => {
    const site = await stage({ workers: [] })
    const grace = await site.open('Grace', { prepare: (context) => registerAt(context, pushService.subscribe()) })
    await grace.page.getByRole('button', { name: 'Allow notifications' }).click()
    await grace.region('Notifications on this device').getByText(/^On\./).waitFor()
    expect(await isRegistered(grace)).toBe(true)
    await site.query('DELETE FROM example.sessions')
    await grace.page.getByRole('button', { name: 'Log out' }).click()
    await grace.untilLogin()
    await waitFor(async () => !(await isRegistered(grace)), { what: 'the browser to end its registration' })
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
