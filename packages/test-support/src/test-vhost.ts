import { randomBytes } from 'node:crypto'
import { sleep } from '@mono/waiting'
import { connect } from 'amqplib'
import { type BrokerConnection, createManagementApi, type Permissions } from './management-api.js'
import { brokerUrl } from './service-urls.js'
import { createVhostClient, ownConnectionName, type VhostClient } from './vhost-client.js'
import { waitFor } from './wait-for.js'
import { readWorkspaceFile } from './workspace.js'

/** A user of the broker's that is gone when the test is. */
export interface TestUser {
  name: string
  /** The vhost's address for this user. */
  url: string
  /** Undefined: it may not enter the vhost. */
  setPermissions(permissions: Partial<Permissions> | undefined): Promise<void>
  /** With which routing keys, as a regular expression, it may publish to this topic exchange, which must exist. */
  setTopicPermission(exchange: string, write: string): Promise<void>
}

export interface TestVhost extends Omit<VhostClient, 'close'> {
  name: string
  /** `amqp://user:password@host:port/<name>` */
  url: string
  /**
   * How many connections to this vhost are open, without the fixture's own. The broker tells up to 5 s late of a new
   * one: await the number with `waitFor`.
   */
  connections(): Promise<number>
  /**
   * Closes every connection but the fixture's own from the broker's side, as an operator would, and resolves with
   * their given names. Waits (up to 15 s) until the broker lists at least `atLeast` of them. Default 1. `named` leaves
   * those open whose given name does not match; they count as listed.
   */
  closeConnections(options?: { atLeast?: number; named?: RegExp }): Promise<string[]>
  /** A user of its own, which may do everything in this vhost until told otherwise. */
  createUser(): Promise<TestUser>
  /** Above it the vhost takes no more connections; those that are open stay. -1: no limit. */
  limitConnections(limit: number): Promise<void>
  /**
   * What waits in a retry queue of this work queue comes back after `waitMs` (default 100) instead of the queue's own
   * delay, by the broker itself and the same way. Call it before those queues are declared: it does not count for a
   * message that waits already.
   */
  shortenRetries(queue: string, options?: { waitMs?: number }): Promise<void>
  /** Declares what `docker/rabbitmq/definitions.json` says, as the broker of the compose file does when it boots. */
  importDefinitions(): Promise<void>
  /** Through the management API, which sends what amqplib refuses to, such as more than 64 KiB of headers. */
  publishUnchecked(exchange: string, routingKey: string, body: string, headers: object): Promise<void>
}

export interface OwnedTestVhost extends TestVhost {
  /**
   * Deletes the vhost.
   * @throws Error if a connection to it is still open after `graceMs`; the vhost is deleted nevertheless
   */
  drop(options?: { graceMs?: number }): Promise<void>
}

const everything: Permissions = { configure: '.*', write: '.*', read: '.*' }

/** @throws Error if RABBITMQ_URL is not set, or its user may not make vhosts */
export async function createTestVhost(): Promise<OwnedTestVhost> {
  const url = new URL(brokerUrl())
  const name = `test-${randomBytes(6).toString('hex')}`
  url.pathname = `/${name}`
  const management = createManagementApi()
  await management.createVhost(name, decodeURIComponent(url.username))
  const { close, ...client } = createVhostClient(url.href)

  const users: string[] = []

  async function createUser(): Promise<TestUser> {
    const user = `${name}-${users.length + 1}`
    const userUrl = new URL(url)
    userUrl.username = user
    userUrl.password = randomBytes(12).toString('hex')
    await management.putUser(user, userUrl.password)
    users.push(user)
    await management.setPermissions(name, user, everything)
    return {
      name: user,
      url: userUrl.href,
      setPermissions: (permissions) =>
        management.setPermissions(name, user, permissions && { ...everything, ...permissions }),
      setTopicPermission: (exchange, write) => management.setTopicPermission(name, user, { exchange, write }),
    }
  }

  async function listForeignConnections(): Promise<BrokerConnection[]> {
    const connections = await management.listConnections(name)
    return connections.filter(({ givenName }) => givenName !== ownConnectionName)
  }

  return {
    ...client,
    name,
    url: url.href,
    async connections() {
      return (await listForeignConnections()).length
    },
    async closeConnections({ atLeast = 1, named = /^/ } = {}) {
      const listed = await waitFor(
        async () => {
          const found = await listForeignConnections()
          return found.length >= atLeast && found
        },
        { what: `at least ${atLeast} connections to vhost ${name} to be listed`, timeoutMs: 15_000 },
      )
      const connections = listed.filter(({ givenName = '' }) => named.test(givenName))
      for (const connection of connections) await management.closeConnection(connection.name, 'closed by a test')
      return connections.map(describeConnection)
    },
    createUser,
    async limitConnections(limit) {
      await management.limitConnections(name, limit)
    },
    async shortenRetries(queue, { waitMs = 100 } = {}) {
      const pattern = `^${queue.replaceAll('.', '\\.')}\\.retry\\.`
      await management.setPolicy(name, { name: `${queue}.retry`, pattern, definition: { 'message-ttl': waitMs } })
    },
    async importDefinitions() {
      await management.importDefinitions(name, JSON.parse(await readWorkspaceFile('docker/rabbitmq/definitions.json')))
    },
    async publishUnchecked(exchange, routingKey, body, headers) {
      await management.publish(name, { exchange, routingKey, body, headers })
    },
    async drop({ graceMs = 5_000 } = {}) {
      await close()
      try {
        await management.limitConnections(name, 1)
        await waitFor(() => isConnectable(url.href), { what: 'no connection to be left', timeoutMs: graceMs })
      } catch (error) {
        const open = await listLeaks(listForeignConnections)
        if (open.length > 0) throw new Error(describeLeak(open), { cause: error })
      } finally {
        await management.deleteVhost(name)
        for (const user of users) await management.deleteUser(user)
      }
    },
  }
}

/** To a vhost that allows one connection: whether none is open. The list of connections would tell that 5 s late. */
async function isConnectable(url: string): Promise<true> {
  const connection = await connect(url, { timeout: 5_000, clientProperties: { connection_name: ownConnectionName } })
  await connection.close()
  return true
}

/**
 * The judge where the quick question was answered with no: the broker counts opening and closing in processes of their
 * own, in any order, so a connection that was short may stay in the count of its vhost, but never in the list.
 */
async function listLeaks(list: () => Promise<BrokerConnection[]>): Promise<BrokerConnection[]> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const open = await list()
    if (open.length > 0 || Date.now() > deadline) return open
    await sleep(100)
  }
}

function describeLeak(open: BrokerConnection[]): string {
  return (
    `AMQP connections are still open after the test: ${open.map(describeConnection)}. ` +
    'Close what the test opened, or hand it to the `cleanUp` fixture.'
  )
}

function describeConnection({ name, givenName }: BrokerConnection): string {
  return givenName ? `${givenName} (${name})` : name
}
