import { describe, expect, it } from 'vitest'
import { createConnections } from './connections.js'

const { signal } = new AbortController()

describe('createConnections', () => {
  it('takes the password out of the URL and answers SASL PLAIN with it', () => {
    const connection = connect('amqp://admin:admin123@rabbit:5673/mono')

    expect(connection).toMatchObject({
      url: 'amqp://rabbit:5673/mono',
      options: { heartbeat: 10 },
      socketOptions: { timeout: 5_000, noDelay: true, clientProperties: { connection_name: 'audit-worker' } },
    })
    expect(connection.socketOptions.credentials?.mechanism).toBe('PLAIN')
    expect(passwordIn(connection)).toBe('\0admin\0admin123')
  })

  it.each([
    ['us%3Aer', 'p%3Aw', 'us:er', 'p:w'],
    ['us%40er', 'p%40%2F%3F%23%25w', 'us@er', 'p@/?#%w'],
    ['%C3%BCser', 'p%C3%A4ss', 'üser', 'päss'],
    ['user', '', 'user', ''],
  ])('decodes the user %s with the password %s', (user, password, plainUser, plainPassword) => {
    const connection = connect(`amqp://${user}:${password}@rabbit/mono`)

    expect(connection.url).toBe('amqp://rabbit/mono')
    expect(passwordIn(connection)).toBe(`\0${plainUser}\0${plainPassword}`)
  })

  it('leaves it to amqplib who connects when the URL names nobody', () => {
    expect(connect('amqp://rabbit/mono').socketOptions).not.toHaveProperty('credentials')
  })

  // Rascal decodes the path once and amqplib once more.
  it.each([
    ['/mono', '/mono'],
    ['/%2F', '/%252F'],
    ['/a%2541', '/a%252541'],
    ['/a%20b', '/a%2520b'],
    ['/', '/'],
    ['', '/'],
  ])('encodes the virtual host of path "%s" twice, as "%s"', (given, expected) => {
    expect(new URL(connect(`amqp://rabbit${given}`).url).pathname || '/').toBe(expected)
  })

  it('keeps TLS, port and query', () => {
    expect(connect('amqps://u:p@[::1]:5671/mono?heartbeat=30&frameMax=8192').url).toBe(
      'amqps://[::1]:5671/mono?heartbeat=30&frameMax=8192',
    )
  })

  it('makes one connection for each node of a cluster', () => {
    const { connections } = createConnections({ urls: ['amqp://a/mono', 'amqp://b/mono'], connectionName: 'n', signal })

    expect(connections.map(({ url }) => url)).toEqual(['amqp://a/mono', 'amqp://b/mono'])
  })

  it('leaves the socket to whoever holds the signal, and reconnecting to whoever needs a connection', () => {
    const { connections, defaults } = createConnections({ urls: ['amqp://a'], connectionName: 'n', signal })

    expect(connections[0]?.socketOptions.signal).toBe(signal)
    expect(defaults).toEqual({ connection: { retry: false } })
  })

  it('refuses an empty list of URLs', () => {
    expect(() => createConnections({ urls: [], connectionName: 'n', signal })).toThrow('at least one broker URL')
  })

  it('says which URL cannot be used, without quoting it', () => {
    const urls = ['amqp://rabbit/mono', 'http://u:secret@rabbit/mono']

    expect(() => createConnections({ urls, connectionName: 'n', signal })).toThrow(
      'urls[1]: expected amqp://user:password@host:port/vhost or amqps://…, found a http:// URL',
    )
  })
})

function connect(url: string) {
  const [connection] = createConnections({ urls: [url], connectionName: 'audit-worker', signal }).connections
  if (connection === undefined) throw new Error('Expected one connection.')
  return connection
}

function passwordIn(connection: ReturnType<typeof connect>) {
  return connection.socketOptions.credentials?.response().toString()
}
