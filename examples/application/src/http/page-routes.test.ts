import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { addPageRoutes } from './page-routes.js'
import type { SiteEnv } from './site.js'

const realtimeUrls = ['ws://one.example/ws', 'ws://two.example/ws']
const page = { realtimeUrls, vapidPublicKey: 'key', links: [{ name: 'Grafana', url: 'http://localhost:5005' }] }
const site = new Hono<SiteEnv>()
addPageRoutes(site, page)

test('the page and its modules are asked about each time, and sent again only if they have changed', async () => {
  const types = { '/': 'text/html', '/realtime.js': 'text/javascript', '/mqtt.js': 'text/javascript' }
  for (const [path, type] of Object.entries(types)) {
    const first = await site.request(path)
    expect(first.status).toBe(200)
    expect(first.headers.get('content-type')).toContain(type)
    expect(first.headers.get('cache-control')).toBe('no-cache')
    const again = await site.request(path, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
  }
})

test('nothing but the page’s own files is to be had', async () => {
  for (const path of [
    '/../package.json',
    '/%2e%2e/package.json',
    '/..%2fpackage.json',
    '/package.json',
    '/nonesuch.js',
  ])
    expect([path, (await site.request(path)).status]).toEqual([path, 404])
})

test('the policy allows files of this site, the broker, and the script that names the modules', async () => {
  const response = await site.request('/')
  const policy = response.headers.get('content-security-policy') ?? ''
  const [, importMap = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(await response.text()) ?? []
  expect(JSON.parse(importMap)).toHaveProperty('imports')
  expect(policy).toContain(`'sha256-${createHash('sha256').update(importMap).digest('base64')}'`)
  expect(policy).toContain(`connect-src 'self' ${realtimeUrls.join(' ')}`)
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
})

test('the page is told where things are', async () => {
  expect(await (await site.request('/site')).json()).toEqual(page)
})
