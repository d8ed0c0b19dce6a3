import { once } from 'node:events'
import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net'

export interface TcpProxy {
  port: number
  /** Pairs of sockets that are open. */
  connections: number
  /** Connections that were taken since the start, refused ones not counted. */
  attempts: number
  /** The same URL, with this proxy's address in place of the target's. */
  url(original: string): string
  /** Resets every open connection, as a broken network does. New ones are let through. */
  cut(): void
  /**
   * Leaves connections open and passes nothing on, as a peer that hangs; new ones are taken and hang too. With
   * `from-target` only the answers are held back: what is sent arrives, and nobody hears of it.
   */
  freeze(direction?: 'both' | 'from-target'): void
  /** Passes on what was held back, and all that follows. */
  thaw(): void
  /**
   * Passes everything on so much later, in each direction, on open connections and new ones; 0 ends it. What is on its
   * way when either side closes is lost.
   */
  delay(ms: number): void
  /**
   * Takes connections and ends each after a random time between these two, in milliseconds; open ones too. Half of them
   * are reset, the others closed in order.
   */
  flap(lifeMs: { min: number; max: number }): void
  /** Lets new connections live. Those that were made before still end at their time. */
  steady(): void
  /**
   * Resets every open connection and refuses new ones, as a peer that is away. With `reset` new ones are taken and
   * reset at once, so that `attempts` counts them.
   */
  down(how?: 'refuse' | 'reset'): Promise<void>
  /** Lets connections through again, on the same port. */
  up(): Promise<void>
  close(): Promise<void>
}

export interface TcpProxyOptions {
  /** A URL with a host and a port: where connections are passed on to. */
  target: string
}

/** A TCP proxy on 127.0.0.1 that can behave like a bad network. */
export async function createTcpProxy({ target }: TcpProxyOptions): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(target)
  const links = new Set<ProxyLink>()
  let frozen: FrozenDirection = 'none'
  let delayMs = 0
  let resetting = false
  let lifeMs: { min: number; max: number } | undefined
  let attempts = 0
  const createProxyServer = () =>
    createServer((client) => {
      attempts += 1
      // One that was accepted just before the proxy went down is told of after that.
      if (resetting || !server.listening) {
        client.on('error', () => undefined)
        client.resetAndDestroy()
        return
      }
      const link = createProxyLink(client, openSocket({ host, port: Number(port) }))
      links.add(link)
      link.setFrozen(frozen)
      link.setDelay(delayMs)
      if (lifeMs) endLater(link, lifeMs)
      client.once('close', () => links.delete(link))
    })
  let server = createProxyServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: ownPort } = server.address() as AddressInfo

  const setFrozen = (direction: FrozenDirection) => {
    frozen = direction
    for (const link of links) link.setFrozen(direction)
  }
  const cut = () => {
    for (const link of links) link.reset()
  }
  const close = async () => {
    if (!server.listening) return
    server.close()
    cut()
    await once(server, 'close')
  }

  return {
    port: ownPort,
    get connections() {
      return links.size
    },
    get attempts() {
      return attempts
    },
    url(original) {
      const url = new URL(original)
      url.hostname = '127.0.0.1'
      url.port = String(ownPort)
      return url.href
    },
    cut,
    freeze: (direction = 'both') => setFrozen(direction),
    thaw: () => setFrozen('none'),
    delay(ms) {
      delayMs = ms
      for (const link of links) link.setDelay(ms)
    },
    flap(limits) {
      lifeMs = limits
      for (const link of links) endLater(link, limits)
    },
    steady() {
      lifeMs = undefined
    },
    async down(how = 'refuse') {
      resetting = how === 'reset'
      if (resetting) cut()
      else await close()
    },
    async up() {
      resetting = false
      if (server.listening) return
      server = createProxyServer()
      server.listen(ownPort, '127.0.0.1')
      await once(server, 'listening')
    },
    close,
  }
}

type FrozenDirection = 'none' | 'both' | 'from-target'

interface ProxyLink {
  setFrozen(direction: FrozenDirection): void
  setDelay(ms: number): void
  reset(): void
  /** FIN to both sides, whatever is under way. */
  close(): void
}

function endLater(link: ProxyLink, { min, max }: { min: number; max: number }): void {
  const end = Math.random() < 0.5 ? link.reset : link.close
  setTimeout(end, min + Math.random() * (max - min)).unref()
}

function createProxyLink(client: Socket, target: Socket): ProxyLink {
  const outward = createPipe(client, target)
  const inward = createPipe(target, client)
  let isReset = false
  const reset = () => {
    if (isReset) return
    isReset = true
    for (const socket of [client, target]) resetSocket(socket)
  }
  const close = () => {
    client.destroy()
    target.destroy()
  }
  for (const socket of [client, target]) {
    socket.setNoDelay(true)
    socket.on('error', reset)
    socket.on('close', reset)
  }
  return {
    setFrozen(direction) {
      outward.setFrozen(direction === 'both')
      inward.setFrozen(direction !== 'none')
    },
    setDelay(ms) {
      outward.setDelay(ms)
      inward.setDelay(ms)
    },
    reset,
    close,
  }
}

/** Node leaves a socket open for ever that is told to reset, and destroyed before its FIN has gone out. */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) {
    socket.destroy()
    return
  }
  // What fails while it is read would destroy it.
  socket.pause()
  socket.resetAndDestroy()
}

/** `Readable.pipe` would resume a stream that was paused to freeze it. */
function createPipe(from: Socket, to: Socket) {
  /** What is on its way, in order. */
  const held: { chunk: Buffer; dueAt: number }[] = []
  let delayMs = 0
  let frozen = false
  let full = false
  let timer: NodeJS.Timeout | undefined
  const flow = () => {
    if (frozen || full) from.pause()
    else from.resume()
  }
  const passDue = () => {
    clearTimeout(timer)
    if (frozen) return
    for (let [next] = held; next; [next] = held) {
      const waitMs = next.dueAt - performance.now()
      if (waitMs > 0) {
        timer = setTimeout(passDue, waitMs)
        break
      }
      held.shift()
      full = !to.write(next.chunk)
    }
    flow()
  }
  from.on('data', (chunk: Buffer) => {
    held.push({ chunk, dueAt: performance.now() + delayMs })
    passDue()
  })
  from.on('end', () => to.end())
  to.on('drain', () => {
    full = false
    flow()
  })
  to.on('close', () => {
    clearTimeout(timer)
    held.length = 0
  })
  return {
    setFrozen(value: boolean) {
      frozen = value
      passDue()
      flow()
    },
    setDelay(ms: number) {
      delayMs = ms
    },
  }
}
