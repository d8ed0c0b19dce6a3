import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestFixtures } from '@mono/test-support'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'

/** A page of another origin of the same site: the browser gives the session's cookie to whatever it sends. */
async function openForeignOrigin(cleanUp: TestFixtures['cleanUp']): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>Foreign</title>')
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  cleanUp(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}/`
}

describePage('a page of another origin, in a browser that is logged in', () => {
  test('can neither send nor read, nor show this page within its own', async ({ stage, cleanUp }) => {
    const site = await stage({ workers: [] })
    const { page, visit } = await site.open('Ada')
    const foreign = await openForeignOrigin(cleanUp)
    const messages = `${site.origin}/conversations/lunch/messages`

    await visit(foreign)
    const isRead = `fetch('${messages}', { credentials: 'include' }).then(() => true, () => false)`
    expect(await page.evaluate(isRead)).toBe(false)

    // Written so that the body of the form is JSON.
    await page.evaluate(`{
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', enctype: 'text/plain', action: '${messages}' })
      const field = document.createElement('input')
      Object.assign(field, { name: '{"content":"', value: '"}' })
      form.append(field)
      document.body.append(form)
    }`)
    const answered = page.waitForResponse(messages)
    await page.evaluate(`document.querySelector('form').submit()`)
    const answer = await answered
    expect([answer.status(), await answer.json()]).toEqual([403, { error: expect.stringContaining('own pages') }])
    expect(await answer.request().headerValue('cookie')).toMatch(/^example-session=/)
    expect(await site.query('SELECT FROM example.messages')).toEqual([])

    await visit(foreign)
    const blocked = page.waitForEvent('requestfailed', (request) => request.url() === `${site.origin}/`)
    await page.evaluate(`{
      const frame = document.createElement('iframe')
      frame.src = '${site.origin}/'
      document.body.append(frame)
    }`)
    expect((await blocked).failure()?.errorText).toMatch(/BLOCKED/)
  })
})
