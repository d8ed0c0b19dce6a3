import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The point at which a mail server falls silent: before it greets, or at the command of this name. */
export type SilentStage = 'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA'

export interface SilentSmtpProxy {
  url: string
  /** Somebody waits for an answer at the silent stage. */
  readonly isMet: boolean
  /** From now on nothing is answered at this stage; undefined: all is. Connections that have met it stay silent. */
  fallSilent(stage: SilentStage | undefined): void
  /** Ends every connection and refuses new ones. */
  refuse(): Promise<void>
  /** Takes connections again. */
  accept(): Promise<void>
  close(): Promise<void>
}

/** Stands before a mail server, which it passes on, and can hang at each stage of a session. */
export async function createSilentSmtpProxy(target: string): Promise<SilentSmtpProxy> {
  const { hostname: host, port } = new URL(target)
  const sockets = new Set<Socket>()
  let silent: SilentStage | undefined
  let isMet = false
  const meet = () => {
    isMet = true
  }
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer((socket) => {
    const client = keep(socket)
    if (silent === 'greeting') return meet()
    const upstream = keep(connect(Number(port), host))
    upstream.pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
    passLines(client, upstream, { silentAt: () => silent, onSilent: meet })
  })
  const listen = async (ownPort: number) => {
    server.listen(ownPort, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const refuse = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    cut()
    await closed
  }
  const ownPort = await listen(0)
  return {
    url: `smtp://127.0.0.1:${ownPort}`,
    get isMet() {
      return isMet
    },
    fallSilent(stage) {
      silent = stage
      isMet = false
      // A client that is connected has passed these.
      if (stage === 'greeting' || stage === 'EHLO') cut()
    },
    refuse,
    async accept() {
      await listen(ownPort)
    },
    close: refuse,
  }
}

interface PassLinesOptions {
  silentAt(): SilentStage | undefined
  onSilent(): void
}

/** Passes on what the client says, line by line, until it comes to the command that is not answered. */
function passLines(client: Socket, upstream: Socket, { silentAt, onSilent }: PassLinesOptions): void {
  let rest = ''
  let isInMail = false
  let isSilent = false
  client.setEncoding('latin1')
  client.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [command = ''] = line.toUpperCase().split(/[ :]/, 1)
      if (!isInMail && command === silentAt()) isSilent = true
      if (isSilent) return onSilent()
      isInMail = isInMail ? line !== '.' : command === 'DATA'
      upstream.write(`${line}\r\n`, 'latin1')
    }
  })
}
