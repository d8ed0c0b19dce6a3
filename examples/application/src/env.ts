import { readFileSync } from 'node:fs'
import { z } from 'zod'

const port = z.coerce.number().int().min(0).max(65_535)

const link = z.url({ protocol: /^https?$/ })

const shape = z.object({
  /** The application's own role. Also as `DATABASE_URL_FILE`. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** One address, or several separated by commas. Also as `RABBITMQ_URL_FILE`. */
  RABBITMQ_URL: z.string().min(1),
  /** The private key, in PEM, of the tokens for browsers. */
  REALTIME_KEY_FILE: z.string().min(1),
  /** Where browsers reach the broker: one address, or several separated by commas. */
  REALTIME_URL: z
    .string()
    .transform((urls) => urls.split(',').map((url) => url.trim()))
    .pipe(z.array(z.url({ protocol: /^wss?$/ }))),
  /** That of push-worker. Without it browsers get no notifications. */
  VAPID_PUBLIC_KEY: z.string().optional(),
  /** The page links to what is set. */
  MAIL_CATCHER_URL: link.optional(),
  GRAFANA_URL: link.optional(),
  HTTP_PORT: port.default(8080),
  /** Where browsers find the application, if not at the address that they name. `https:` makes cookies secure. */
  PUBLIC_ORIGIN: link.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

const migrationShape = z.object({
  DATABASE_URL: shape.shape.DATABASE_URL,
  /** Past a pooler. Default `DATABASE_URL`. */
  DATABASE_MIGRATION_URL: shape.shape.DATABASE_URL.optional(),
})

export type Env = z.infer<typeof shape>

type Source = Readonly<Record<string, string | undefined>>

/** The one place of this process that reads the environment. */
const processEnv: Source = process.env

/** @throws Error that names every variable that does not fit, without its value */
export function readEnv(source: Source = processEnv): Env {
  return read(shape, source)
}

/** @throws as `readEnv` */
export function readMigrationEnv(source: Source = processEnv): z.infer<typeof migrationShape> {
  return read(migrationShape, source)
}

function read<T>(schema: z.ZodType<T>, source: Source): T {
  const { success, data, error } = schema.safeParse(withFiles(source))
  if (success) return data
  throw new Error(`The environment does not fit:\n${z.prettifyError(error)}`)
}

/** A secret may stand in a file, which `<name>_FILE` names. A variable that is empty counts as not set. */
function withFiles(source: Source): Source {
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(source)) if (value) values[name] = value
  for (const name of ['DATABASE_URL', 'DATABASE_MIGRATION_URL', 'RABBITMQ_URL']) {
    const file = values[`${name}_FILE`]
    if (file && !values[name]) values[name] = readFileSync(file, 'utf8').trim()
  }
  return values
}
