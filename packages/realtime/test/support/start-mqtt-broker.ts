import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Aedes, type AedesOptions, type Client } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'

/** An MQTT broker that can answer what RabbitMQ 3.10 does not, by its hooks. */
export async function startMqttBroker(hooks: AedesOptions = {}) {
  const broker = await Aedes.createBroker(hooks)
  const clients: Client[] = []
  broker.on('client', (client) => void clients.push(client))
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => void broker.handle(createWebSocketStream(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}/ws`,
    clients,
    publish: (topic: string, payload: string) =>
      new Promise<void>((resolve, reject) => {
        const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const
        broker.publish(packet, (error) => (error ? reject(error) : resolve()))
      }),
    async close() {
      broker.close()
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      server.close()
      await once(server, 'close')
    },
  }
}
