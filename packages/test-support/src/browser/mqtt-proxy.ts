import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { WebSocket, WebSocketServer } from 'ws'

export interface MqttProxy {
  url: string
  /** Connections that were taken since the start. */
  readonly connections: number
  /** From now on a broadcast for which `isLost` answers yes never reaches the browser. */
  lose(isLost: (broadcast: IPublishPacket) => boolean): void
  close(): Promise<void>
}

/** Between browsers and the broker: takes them to a vhost of the test's own, and may lose broadcasts. */
export async function createMqttProxy({ target, vhost }: { target: string; vhost: string }): Promise<MqttProxy> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws' })
  await once(server, 'listening')
  let connections = 0
  let isLost = (_broadcast: IPublishPacket) => false

  server.on('connection', (browser) => {
    connections += 1
    const broker = new WebSocket(target, 'mqtt')
    relay(browser, broker, (packet) => toVhost(packet, vhost))
    relay(broker, browser, (packet) => (packet.cmd === 'publish' && isLost(packet) ? undefined : packet))
    browser.pause()
    broker.once('open', () => browser.resume())
  })

  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    get connections() {
      return connections
    },
    lose(wanted) {
      isLost = wanted
    },
    async close() {
      for (const browser of server.clients) browser.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

/** RabbitMQ takes a vhost before the user name, and the user of a browser from its token. */
function toVhost(packet: Packet, vhost: string): Packet {
  return packet.cmd === 'connect' ? { ...packet, username: `${vhost}:browser` } : packet
}

function relay(from: WebSocket, to: WebSocket, change: (packet: Packet) => Packet | undefined): void {
  const reader = parser({ protocolVersion: 4 })
  reader.on('packet', (packet: Packet) => {
    const changed = change(packet)
    if (changed && to.readyState === WebSocket.OPEN) to.send(generate(changed))
  })
  reader.on('error', () => from.terminate())
  from.on('message', (data: Buffer) => reader.parse(data))
  from.on('error', () => undefined)
  from.on('close', () => to.terminate())
}
