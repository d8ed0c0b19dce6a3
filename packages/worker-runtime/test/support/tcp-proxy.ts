import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface TcpProxy {
  /** The given URL, by way of this proxy. */
  url: string
  /** Refuses connections and breaks those that are there. */
  cut(): Promise<void>
  /** Takes connections again, on the same port. */
  restore(): Promise<void>
}

/** Stands between a test and a service, so that the service can go away. Starts cut off if `cut` is set. */
export async function createTcpProxy(target: string, { cut: startsCut = false } = {}): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  let server: Server | undefined

  async function listen(onPort: number): Promise<number> {
    server = createServer((client) => {
      const upstream = keep(connect(Number(port), hostname))
      keep(client).pipe(upstream).pipe(client)
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
    })
    server.listen(onPort, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  async function cut(): Promise<void> {
    const closing = server
    server = undefined
    if (!closing) return
    const closed = once(closing, 'close')
    closing.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }

  const ownPort = await listen(0)
  if (startsCut) await cut()
  const url = new URL(target)
  url.host = `127.0.0.1:${ownPort}`
  return { url: url.href, cut, restore: async () => void (await listen(ownPort)) }
}
