import { readMigrationEnv } from './env.js'
import { runMigrations } from './migrations.js'

const env = readMigrationEnv()
await runMigrations(env.DATABASE_MIGRATION_URL ?? env.DATABASE_URL)
