import { randomBytes } from 'node:crypto'
import { type BrokerConnection, createManagementApi } from './management-api.js'
import { brokerUrl } from './service-urls.js'
import { createVhostClient, ownConnectionName, type VhostClient } from './vhost-client.js'
import { waitFor } from './wait-for.js'

export interface TestVhost extends Omit<VhostClient, 'close'> {
  name: string
  /** `amqp://user:password@host:port/<name>` */
  url: string
  /** How many connections to this vhost are open. The fixture's own is not counted. */
  connections(): Promise<number>
  /** Closes every connection but the fixture's own from the broker's side; resolves with their given names. */
  closeConnections(): Promise<string[]>
}

export interface OwnedTestVhost extends TestVhost {
  /**
   * Deletes the vhost.
   * @throws Error if a connection to it is still open after `graceMs`; the vhost is deleted nevertheless
   */
  drop(options?: { graceMs?: number }): Promise<void>
}

/** @throws Error if RABBITMQ_URL is not set, or its user may not make vhosts */
export async function createTestVhost(): Promise<OwnedTestVhost> {
  const url = new URL(brokerUrl())
  const name = `test-${randomBytes(6).toString('hex')}`
  url.pathname = `/${name}`
  const management = createManagementApi()
  await management.createVhost(name, decodeURIComponent(url.username))
  const { close, ...client } = createVhostClient(url.href)

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
    async closeConnections() {
      const connections = await listForeignConnections()
      for (const connection of connections) await management.closeConnection(connection.name, 'closed by a test')
      return connections.map(describeConnection)
    },
    async drop({ graceMs = 5_000 } = {}) {
      await close()
      try {
        await assertNoConnections(listForeignConnections, name, graceMs)
      } finally {
        await management.deleteVhost(name)
      }
    },
  }
}

/** The broker learns of a closed connection, and tells its management database, a little later. */
async function assertNoConnections(
  list: () => Promise<BrokerConnection[]>,
  vhost: string,
  graceMs: number,
): Promise<void> {
  let open: BrokerConnection[] = []
  await waitFor(
    async () => {
      open = await list()
      return open.length === 0
    },
    { what: `the connections to vhost ${vhost} to be closed`, timeoutMs: graceMs, intervalMs: 100 },
  ).catch((error: unknown) => {
    throw new Error(
      `${open.length} AMQP connection(s) still open after the test: ${open.map(describeConnection).join(', ')}. ` +
        'Close what the test opened, or hand it to the `cleanUp` fixture.',
      { cause: error },
    )
  })
}

function describeConnection({ name, givenName }: BrokerConnection): string {
  return givenName ? `${givenName} (${name})` : name
}
