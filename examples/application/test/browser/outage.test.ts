import { waitFor } from '@mono/test-support'
import type { Request } from 'playwright-core'
import { expect } from 'vitest'
import { holdCommits } from '../support/hold-commits.js'
import { describePage, test } from './support/chromium-test.js'

describePage('the page, while something is away', () => {
  test('what is accepted without the broker arrives later, once, and the page says so', async ({ stage }) => {
    const site = await stage()
    const ada = await site.open('Ada')
    await ada.choose('Lunch')
    await ada.type('with the broker')
    await ada.untilNumbered('with the broker')
    await site.broker.down()
    await site.untilBroker('away')
    await ada.type('without the broker')
    await ada.untilMessage('without the broker', /accepted, waiting for the broker/)
    await site.broker.up()
    await ada.untilNumbered('without the broker')
    expect(await ada.messages()).toHaveLength(2)
    expect(await site.query('SELECT content FROM chat.messages ORDER BY sequence')).toEqual([
      { content: 'with the broker' },
      { content: 'without the broker' },
    ])
  })

  test('nothing is accepted without the database, the page says so, and sends it again when told to', async ({
    stage,
  }) => {
    const site = await stage()
    const ada = await site.open('Ada')
    await ada.choose('Lunch')
    await site.database.down()
    await ada.type('without the database')
    await ada.untilMessage('without the database', /not accepted/)
    await ada.untilAlert(/database is away. Nothing is accepted/)
    await site.database.up()
    expect(await site.query('SELECT FROM example.messages')).toEqual([])
    await ada.region('Messages').getByRole('button', { name: 'Send again' }).click()
    await ada.untilNumbered('without the database')
    expect(await ada.messages()).toHaveLength(1)
  })

  test('a page that could not start starts when it can, by itself', async ({ stage }) => {
    const site = await stage({ workers: [] })
    let asked = 0
    const ada = await site.open(undefined, {
      // Once, so that nothing is wrong any more when the page looks at the server's health.
      prepare: (context) =>
        context.route('**/demo-users', async (route) => {
          asked += 1
          await (asked === 1 ? route.fulfill({ status: 503, json: { error: 'Busy' } }) : route.continue())
        }),
    })
    await ada.logIn('Ada')
    expect(asked).toBeGreaterThan(1)
  })

  test('a message whose commit was cut off is sent again under its id, and stored once', async ({
    stage,
    database,
  }) => {
    const site = await stage()
    const ada = await site.open('Ada')
    await ada.choose('Lunch')
    const commits = await holdCommits(database)
    const isTry = (request: Request) => request.method() === 'POST' && request.url().endsWith('/lunch/messages')
    const answers: unknown[] = []
    let tries = 0
    ada.page.on('request', (request) => {
      if (isTry(request)) tries += 1
    })
    ada.page.on('response', async (response) => {
      if (isTry(response.request())) answers.push((await response.json()).accepted)
    })
    await ada.type('perhaps accepted')
    await commits.untilOneWaits()
    await site.database.down()
    // The second answer is about the second try alone.
    await waitFor(() => answers.length >= 2, { what: 'the message to be sent again' })
    expect(answers.slice(0, 2)).toEqual(['unknown', false])
    await ada.untilMessage('perhaps accepted', /sending again; it arrives once/)
    expect(await ada.region('Messages').getByRole('button', { name: 'Discard' }).count()).toBe(0)
    await site.database.up()
    await waitFor(() => tries > answers.length, { what: 'another try' })
    await commits.letGo()
    await waitFor(() => answers.at(-1) === true, { what: 'the message to be accepted' })
    await ada.untilNumbered('perhaps accepted')
    expect(await site.query('SELECT content FROM chat.messages')).toEqual([{ content: 'perhaps accepted' }])
    expect(await site.query('SELECT content FROM example.messages')).toHaveLength(1)
  })

  test('a notification whose commit was cut off may be accepted, whatever a later try is told, and is accepted once', async ({
    stage,
    database,
  }) => {
    const site = await stage({ workers: [] })
    const ada = await site.open('Ada')
    const commits = await holdCommits(database, 'example.notifications')
    const isTry = (request: Request) => request.method() === 'POST' && request.url().endsWith('/notifications')
    const ids: unknown[] = []
    const answers: unknown[] = []
    ada.page.on('response', async (response) => {
      if (!isTry(response.request())) return
      ids.push(response.request().postDataJSON().notificationId)
      answers.push((await response.json()).accepted)
    })
    const notification = { title: 'Release', text: 'It is out.', byMail: false }
    const trouble = ada.region('Notify everybody').getByRole('alert')
    await ada.notify(notification)
    await commits.untilOneWaits()
    await site.database.down()
    await trouble.getByText(/may have been accepted/).waitFor()
    // The second answer is about the second try alone.
    await ada.notify(notification)
    await waitFor(() => answers.length === 2, { what: 'the notification to be sent again' })
    expect(answers).toEqual(['unknown', false])
    await ada.region('Notify everybody').getByRole('button', { name: 'Notify', disabled: false }).waitFor()
    expect(await trouble.textContent()).toMatch(/may have been accepted/)
    await site.database.up()
    await commits.letGo()
    await ada.page.reload()
    await ada.notify(notification)
    await waitFor(() => answers.at(-1) === true, { what: 'the notification to be accepted' })
    expect(new Set(ids).size).toBe(1)
    expect(await site.query('SELECT title FROM example.notifications')).toEqual([{ title: 'Release' }])
  })

  test('a refusal by something between page and server is not taken for the server’s', async ({ stage }) => {
    const site = await stage()
    const refusals = [
      { status: 404, contentType: 'text/html', body: '<h1>No backend</h1>' },
      { status: 429, json: { message: 'Too many' } },
      { status: 408, body: '' },
    ]
    const ada = await site.open('Ada', {
      prepare: (context) =>
        context.route('**/lunch/messages', async (route) => {
          const refusal = route.request().method() === 'POST' ? refusals.shift() : undefined
          await (refusal ? route.fulfill(refusal) : route.continue())
        }),
    })
    await ada.choose('Lunch')
    await ada.type('through the proxy')
    await ada.untilNumbered('through the proxy')
    expect(refusals).toEqual([])
  })
})
