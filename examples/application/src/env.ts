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
  /** The key that push-worker has. Without it browsers get no notifications. */
  VAPID_PUBLIC_KEY: z.string().optional(),
  /** The page links to what is set. */
  MAIL_CATCHER_URL: link.optional(),
  GRAFANA_URL: link.optional(),
  HTTP_PORT: port.default(8080),
  /** The address of this machine to listen on. Default: all. */
  HTTP_HOST: z.string().optional(),
  /** Where browsers find the application, if not at the address that they name. `https:` makes cookies secure. */
  PUBLIC_ORIGIN: link.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** `production` refuses what is of development. */
  NODE_ENV: z.string().optional(),
  /** Everybody who reaches the site may log in as any demo user, without a password: in production only if this says so. */
  DEMO_LOGIN: z.literal('allow').optional(),
})

/** docker-compose.yml and `npm start` have these. */
const developmentPasswords = ['admin123', 'development', 'postgres']

const applicationShape = shape.superRefine((env, context) => {
  if (env.NODE_ENV !== 'production') return
  const refuse = (name: keyof typeof env, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message: `expected ${message} in production` })
  for (const name of ['DATABASE_URL', 'RABBITMQ_URL'] as const) {
    const passwords = env[name].split(',').map((url) => (URL.canParse(url) ? new URL(url).password : ''))
    if (passwords.some((password) => developmentPasswords.includes(password))) refuse(name, 'a password of your own')
  }
  if (!env.DEMO_LOGIN) refuse('DEMO_LOGIN', '`allow`, since everybody may log in as a demo user without a password,')
})

const migrationShape = z.object({
  DATABASE_URL: shape.shape.DATABASE_URL,
  /** Past a pooler. Default `DATABASE_URL`. */
  DATABASE_MIGRATION_URL: shape.shape.DATABASE_URL.optional(),
})

export type Env = z.infer<typeof applicationShape>

type Source = Readonly<Record<string, string | undefined>>

/** The one place of this process that reads the environment. */
const processEnv: Source = process.env

/** @throws Error that names every variable that does not fit, without its value */
export function readEnv(source: Source = processEnv): Env {
  return read(applicationShape, source)
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
