import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'vitest'
import { test } from '../test.js'
import { waitFor } from '../wait-for.js'
import { closeSink } from './close-sink.js'
import { createApnsService, createPushService, createSmtpSink } from './index.js'

const createApns = () => createApnsService({ keys: [], topic: 'com.example.app' })

test.for([
  ['push service', createPushService],
  ['SMTP sink', createSmtpSink],
  ['APNs service', createApns],
] as const)('a connection that is left open to the %s is told, and closed', async ([name, create], { cleanUp }) => {
  const sink = await create()
  const socket = connect(sink.port, '127.0.0.1')
  cleanUp(() => socket.destroy())
  await waitFor(() => sink.connections === 1, { what: 'the connection', intervalMs: 5 })
  const closed = once(socket, 'close')
  const closing = closeSink(name, sink, { graceMs: 100 })
  await expect(closing).rejects.toThrow(`1 connection(s) to the ${name} are still open after the test`)
  socket.resume()
  await closed
  expect(sink.connections).toBe(0)
})

test('what closes within the grace time is no leak', async ({ smtpSink, cleanUp }) => {
  const socket = connect(smtpSink.port, '127.0.0.1')
  cleanUp(() => socket.destroy())
  await once(socket, 'data')
  setTimeout(() => socket.destroy(), 30)
  await closeSink('SMTP sink', smtpSink)
})

test.for([
  ['push service', createPushService],
  ['SMTP sink', createSmtpSink],
  ['APNs service', createApns],
] as const)('a %s can be closed as soon as a client has connected', async ([, create], { cleanUp }) => {
  const sink = await create()
  const socket = connect(sink.port, '127.0.0.1').resume()
  cleanUp(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  await sink.close()
  expect(sink.connections).toBe(0)
})
