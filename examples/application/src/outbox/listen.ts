import pg from 'pg'

export interface Listening {
  end(): Promise<void>
}

const pauseMs = 1_000

/**
 * Rings at each commit that has put something into the outbox, by a connection of its own that is made anew when it is
 * lost. A pooler in transaction mode takes LISTEN and tells nothing: then polling is all there is.
 */
export function listen(databaseUrl: string, ring: () => void): Listening {
  let isOver = false
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined

  async function connect(): Promise<void> {
    const mine = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'example outbox listen',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    })
    client = mine
    let isLost = false
    const connectLater = () => {
      if (isLost) return
      isLost = true
      if (isOver) return
      timer = setTimeout(() => {
        connecting = connect()
      }, pauseMs)
    }
    mine.on('notification', ring)
    mine.on('error', connectLater)
    mine.on('end', connectLater)
    try {
      await mine.connect()
      await mine.query('LISTEN example_outbox')
      // Nobody tells of messages that were committed before that.
      ring()
    } catch {
      connectLater()
      await mine.end().catch(() => undefined)
    }
  }

  let connecting = connect()
  return {
    async end() {
      isOver = true
      clearTimeout(timer)
      await connecting
      await client?.end().catch(() => undefined)
    },
  }
}
