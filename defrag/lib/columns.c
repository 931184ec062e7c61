// SPDX-License-Identifier: GPL-2.0-only
#include "lib/columns.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "lib/util.h"

bool columns_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8;

	if (!locale)
		return false;
	utf8 = !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");
	freelocale(locale);
	return utf8;
}

/*
 * wcwidth() knows only the characters of the current locale, but names are treated as UTF-8 in
 * every locale. Returns the locale to restore with use_again(), or 0 if there is no C.UTF-8.
 */
static locale_t use_utf8(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale ? uselocale(locale) : (locale_t)0;
}

static void use_again(locale_t locale)
{
	if (locale)
		uselocale(locale);
}

/* Return the length in bytes of the character at @text, and put its width into @columns. */
static size_t next(const char *text, size_t *columns)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t length = mbrtowc(&wide, text, strlen(text), &state);
	int width;

	*columns = 1;
	if (length == 0 || length == (size_t)-1 || length == (size_t)-2)
		return 1;
	width = wcwidth(wide);
	if (width >= 0)
		*columns = (size_t)width;
	return length;
}

size_t columns_of(const char *text)
{
	const locale_t before = use_utf8();
	size_t sum = 0, columns;

	while (*text) {
		text += next(text, &columns);
		sum += columns;
	}
	use_again(before);
	return sum;
}

/* Characters of width 0 combine with the one before, which was cut off: cut them off, too. */
static char *skip_combining(const char *at)
{
	size_t length, columns;

	while (*at && (length = next(at, &columns)) && !columns)
		at += length;
	return (char *)at;
}

char *columns_tail(const char *text, size_t width, bool utf8)
{
	char *shown = xasprintf("...%s", text), *at;
	locale_t before;
	size_t sum, length, columns;

	if (!utf8) {
		/* Replace the first byte of each character by "?", and drop its other bytes. */
		char *to = shown;

		for (at = shown; *at; at++)
			if ((*at & 0xc0) != 0x80)
				*to++ = *at & 0x80 ? '?' : *at;
		*to = 0;
	}
	sum = columns_of(shown + 3);
	if (sum <= width) {
		memmove(shown, shown + 3, strlen(shown + 3) + 1);
		return shown;
	}
	if (width < 3) {
		shown[width] = 0;
		return shown;
	}
	before = use_utf8();
	for (at = shown + 3; sum > width - 3; at += length) {
		length = next(at, &columns);
		sum -= columns;
	}
	at = skip_combining(at);
	use_again(before);
	memmove(shown + 3, at, strlen(at) + 1);
	return shown;
}

char *columns_tail_bytes(const char *text, size_t most, size_t *cut)
{
	const size_t size = strlen(text);
	const char *at = text;
	locale_t before;

	*cut = 0;
	if (size <= most)
		return xstrdup(text);
	while ((size_t)(at - text) < size - (most - 3)) {
		at += *at == '\\' ? 4 : 1;
		while ((*at & 0xc0) == 0x80)
			at++;
	}
	before = use_utf8();
	at = skip_combining(at);
	use_again(before);
	*cut = (size_t)(at - text);
	return xasprintf("...%s", at);
}
