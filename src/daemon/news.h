#ifndef NETPOL_DAEMON_NEWS_H
#define NETPOL_DAEMON_NEWS_H 1

/* What is wrong with the source, in the log. */

struct np_source;
struct sset;

/* Logs what is wrong with the source now and is not in TOLD, which is then
 * what is wrong now.  To be called when the source has changed. */
void np_news_run(struct sset *told, const struct np_source *);

#endif /* daemon/news.h */
