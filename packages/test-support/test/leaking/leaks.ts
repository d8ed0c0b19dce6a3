/** Tests that leave something open on purpose. The suite runs them in a vitest of their own, where each must fail. */
import { once } from 'node:events'
import { createServer, connect as openSocket } from 'node:net'
import { connect } from 'amqplib'
import pg from 'pg'
import { test } from '../../src/test.js'

test('leaves a connection to its vhost open', async ({ vhost, task }) => {
  Object.assign(task.meta, { vhost: vhost.name })
  await connect(vhost.url, { clientProperties: { connection_name: 'forgotten client' } })
})

test('leaves a connection to its database open', async ({ database, task }) => {
  Object.assign(task.meta, { database: database.name })
  const client = new pg.Client({ connectionString: database.url, application_name: 'forgotten client' })
  client.on('error', () => undefined)
  await client.connect()
})

test('leaves a client of its pool lent out', async ({ database, task }) => {
  Object.assign(task.meta, { database: database.name })
  await database.createPool().connect()
})

test('leaves a connection to its push service open', async ({ pushService }) => {
  await once(openSocket(pushService.port, '127.0.0.1'), 'connect')
})

test('leaves a connection to its SMTP sink open', async ({ smtpSink }) => {
  await once(openSocket(smtpSink.port, '127.0.0.1'), 'data')
})

test('leaves a timer running', () => {
  setTimeout(() => undefined, 600_000)
})

test('leaves a server listening', () => {
  createServer().listen(0)
})

test('closes all it opened', async ({ vhost, database, cleanUp, task }) => {
  Object.assign(task.meta, { vhost: vhost.name, database: database.name })
  const connection = await connect(vhost.url)
  cleanUp(() => connection.close())
  await connection.createChannel()
  await database.createPool().query('SELECT 1')
  await vhost.withChannel(async (channel) => {
    await channel.assertQueue('', { exclusive: true })
  })
})

test('uses no service', () => {})
