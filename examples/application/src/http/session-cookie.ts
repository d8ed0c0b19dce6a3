import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

const name = 'example-session'

export const readSessionToken = (context: Context) => getCookie(context, name)

export function writeSessionToken(context: Context, token: string, publicOrigin: string | undefined): void {
  const secure = publicOrigin?.startsWith('https:') ?? false
  setCookie(context, name, token, { httpOnly: true, sameSite: 'Strict', path: '/', secure })
}

export const removeSessionToken = (context: Context) => deleteCookie(context, name, { path: '/' })
