import { connect } from 'node:net'
import { test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { type HealthServer, openHealthServer } from './health-server.js'
import type { ReadinessReport } from './readiness.js'

const ready: ReadinessReport = {
  status: 'ready',
  worker: 'audit-worker',
  state: 'running',
  checks: {
    broker: { state: 'open', blocked: false },
    consumer: { state: 'consuming', inFlight: 3 },
    database: { state: 'up' },
    breakers: { database: { state: 'closed' } },
  },
}

async function open({
  report = ready,
  metrics = async () => ({ contentType: 'text/plain', text: 'mono_ready 1\n' }),
} = {}) {
  const server = await openHealthServer({ port: 0, readiness: () => report, metrics })
  return { server, at: (path: string) => `http://127.0.0.1:${server.port}${path}` }
}

describe('/livez', () => {
  test('says 200 as long as the process runs, ready or not', async ({ cleanUp }) => {
    const { server, at } = await open({ report: { ...ready, status: 'not ready' } })
    cleanUp(server.close)
    const response = await fetch(at('/livez'))
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({ status: 'alive' })
  })
})

describe('/readyz', () => {
  test('says 200 and why', async ({ cleanUp }) => {
    const { server, at } = await open()
    cleanUp(server.close)
    const response = await fetch(at('/readyz?verbose'))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toEqual(ready)
  })

  test('says 503 and why not', async ({ cleanUp }) => {
    const report: ReadinessReport = { ...ready, status: 'not ready', state: 'waiting' }
    const { server, at } = await open({ report })
    cleanUp(server.close)
    const response = await fetch(at('/readyz'))
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual(report)
  })
})

describe('/metrics', () => {
  test('passes on text and content type', async ({ cleanUp }) => {
    const { server, at } = await open()
    cleanUp(server.close)
    const response = await fetch(at('/metrics'))
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(await response.text()).toBe('mono_ready 1\n')
  })

  test('says 500 when they cannot be collected, and the server goes on', async ({ cleanUp }) => {
    const { server, at } = await open({ metrics: () => Promise.reject(new Error('no metrics')) })
    cleanUp(server.close)
    expect((await fetch(at('/metrics'))).status).toBe(500)
    expect((await fetch(at('/livez'))).status).toBe(200)
  })
})

describe('other requests', () => {
  test.each(['/', '/livez/', '/admin'])('for %s get 404', async (path) => {
    const { server, at } = await open()
    expect((await fetch(at(path))).status).toBe(404)
    await server.close()
  })

  test('with another method get 405 and the methods that are allowed', async ({ cleanUp }) => {
    const { server, at } = await open()
    cleanUp(server.close)
    const response = await fetch(at('/readyz'), { method: 'POST', body: 'x' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })

  test('with HEAD get the status and no body', async ({ cleanUp }) => {
    const { server, at } = await open()
    cleanUp(server.close)
    const response = await fetch(at('/readyz'), { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0)
    expect(await response.text()).toBe('')
  })
})

describe('a port that is taken', () => {
  test('is refused with the port and what to do', async ({ cleanUp }) => {
    const { server } = await open()
    cleanUp(server.close)
    const second = openHealthServer({
      port: server.port,
      readiness: () => ready,
      metrics: async () => ({ contentType: '', text: '' }),
    })
    await expect(second).rejects.toThrow(
      `The health server needs port ${server.port}, but another process listens on it; stop that process or set HTTP_PORT`,
    )
  })
})

describe('close', () => {
  test('does not wait for idle connections, nor long for a request that never ends', async () => {
    const { server, at } = await open()
    await (await fetch(at('/livez'))).text()
    const socket = await openHalfRequest(server)
    const begin = performance.now()
    await server.close()
    expect(performance.now() - begin).toBeLessThan(2000)
    await expect(fetch(at('/livez'))).rejects.toThrow()
    socket.destroy()
  })
})

/** A client that has sent half of a request line and then nothing. */
async function openHalfRequest(server: HealthServer) {
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  await new Promise((resolve) => socket.write('GET /livez HT', resolve))
  return socket
}
