/* The floor: the system calls without which a network namespace with a veth pair, addresses, a
   default route and NAT is neither up nor down: `netns up`, `netns down`. As much as can goes out
   with one send, and what has to be waited for is. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIN "/run/netns/blue"
#define OUTER 7777
#define INNER 2
#define NFT(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

static char bytes[8192];
static int length, sequence;
static struct nlmsghdr *header;

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

static void message(int type, int flags, const void *fixed, int size)
{
	header = (void *)(bytes + length);
	*header = (struct nlmsghdr){ 0, type, NLM_F_REQUEST | flags, ++sequence, 0 };
	memcpy(header + 1, fixed, size);
	length += NLMSG_HDRLEN + NLMSG_ALIGN(size);
	header->nlmsg_len = NLMSG_HDRLEN + NLMSG_ALIGN(size);
}

static struct rtattr *put(int type, const void *value, int size)
{
	struct rtattr *attribute = (void *)(bytes + length);

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(attribute + 1, value, size);
	length += RTA_SPACE(size);
	header->nlmsg_len += RTA_SPACE(size);
	return attribute;
}

static void end(struct rtattr *nest)
{
	nest->rta_len = bytes + length - (char *)nest;
}

static void text(int type, const char *value)
{
	put(type, value, strlen(value) + 1);
}

static void number(int type, unsigned value)
{
	put(type, &value, sizeof value);
}

static void big(int type, unsigned value)
{
	number(type, htonl(value));
}

/* Sends all, and reads until the last of them is answered. */
static void carry_out(int fd, unsigned last)
{
	char answer[32768];
	struct nlmsghdr *at;
	int left;

	check(send(fd, bytes, length, 0) < 0, "send");
	length = 0;
	for (;;) {
		left = recv(fd, answer, sizeof answer, 0);
		check(left < 0, "recv");
		for (at = (void *)answer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
			int error = *(int *)NLMSG_DATA(at);

			if (error) {
				fprintf(stderr, "message %u: %s\n", at->nlmsg_seq, strerror(-error));
				exit(1);
			}
			if (at->nlmsg_seq == last)
				return;
		}
	}
}

static int netlink(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	check(fd < 0, "socket");
	return fd;
}

static void finish(int fd)
{
	header->nlmsg_flags |= NLM_F_ACK;
	carry_out(fd, header->nlmsg_seq);
}

static void link_up(int index)
{
	struct ifinfomsg link = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	message(RTM_NEWLINK, 0, &link, sizeof link);
}

static void address(int index, const char *value)
{
	struct ifaddrmsg fixed = { AF_INET, 24, 0, 0, index };
	in_addr_t ip = inet_addr(value);

	message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &fixed, sizeof fixed);
	put(IFA_LOCAL, &ip, sizeof ip);
	put(IFA_ADDRESS, &ip, sizeof ip);
}

static void pair(int namespace)
{
	struct ifinfomsg outer = { .ifi_index = OUTER }, inner = { .ifi_index = INNER };
	struct rtattr *info, *data, *peer;

	message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &outer, sizeof outer);
	text(IFLA_IFNAME, "ve-blue");
	info = put(IFLA_LINKINFO, NULL, 0);
	text(IFLA_INFO_KIND, "veth");
	data = put(IFLA_INFO_DATA, NULL, 0);
	peer = put(VETH_INFO_PEER, NULL, 0);
	memcpy(bytes + length, &inner, sizeof inner);
	length += sizeof inner;
	header->nlmsg_len += sizeof inner;
	text(IFLA_IFNAME, "eth0");
	number(IFLA_NET_NS_FD, namespace);
	end(peer);
	end(data);
	end(info);
}

static void expression(const char *name, int count, const unsigned *numbers, int kind, const void *value, int size)
{
	struct rtattr *element = put(NFTA_LIST_ELEM | NLA_F_NESTED, NULL, 0), *data, *inner;

	text(NFTA_EXPR_NAME, name);
	data = put(NFTA_EXPR_DATA | NLA_F_NESTED, NULL, 0);
	for (int n = 0; n < count; n++)
		big(n + 1, numbers[n]);
	if (size) {
		inner = put(kind | NLA_F_NESTED, NULL, 0);
		put(NFTA_DATA_VALUE, value, size);
		end(inner);
	}
	end(data);
	end(element);
}

static void transaction(int type)
{
	struct nfgenmsg all = { AF_UNSPEC, 0, htons(NFNL_SUBSYS_NFTABLES) };

	message(type, 0, &all, sizeof all);
}

static void nat(int fd)
{
	struct nfgenmsg inet = { NFPROTO_INET, 0, 0 };
	struct rtattr *nest;
	unsigned last;

	transaction(NFNL_MSG_BATCH_BEGIN);
	message(NFT(NFT_MSG_NEWTABLE), NLM_F_CREATE, &inet, sizeof inet);
	text(NFTA_TABLE_NAME, "blue");
	message(NFT(NFT_MSG_NEWCHAIN), NLM_F_CREATE, &inet, sizeof inet);
	text(NFTA_CHAIN_TABLE, "blue");
	text(NFTA_CHAIN_NAME, "postrouting");
	nest = put(NFTA_CHAIN_HOOK | NLA_F_NESTED, NULL, 0);
	big(NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	big(NFTA_HOOK_PRIORITY, 100);
	end(nest);
	text(NFTA_CHAIN_TYPE, "nat");
	message(NFT(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, &inet, sizeof inet);
	text(NFTA_RULE_TABLE, "blue");
	text(NFTA_RULE_CHAIN, "postrouting");
	nest = put(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED, NULL, 0);
	expression("meta", 2, (unsigned[]){ 1, NFT_META_NFPROTO }, 0, NULL, 0);
	expression("cmp", 2, (unsigned[]){ 1, NFT_CMP_EQ }, NFTA_CMP_DATA, "\x02", 1);
	expression("payload", 4, (unsigned[]){ 1, NFT_PAYLOAD_NETWORK_HEADER, 12, 3 }, 0, NULL, 0);
	expression("cmp", 2, (unsigned[]){ 1, NFT_CMP_EQ }, NFTA_CMP_DATA, "\x0a\xc8\x00", 3);
	expression("masq", 0, NULL, 0, NULL, 0);
	end(nest);
	last = header->nlmsg_seq;
	transaction(NFNL_MSG_BATCH_END);
	carry_out(fd, last);
}

static void up(void)
{
	struct rtmsg route = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
			       .rtm_type = RTN_UNICAST };
	in_addr_t gateway = inet_addr("10.200.0.1");
	const char *own = "/proc/thread-self/ns/net";
	int outside = netlink(NETLINK_ROUTE), home = open(own, O_RDONLY | O_CLOEXEC), inside, namespace, setting;

	check(unshare(CLONE_NEWNET), "unshare");
	inside = netlink(NETLINK_ROUTE);
	namespace = open(own, O_RDONLY | O_CLOEXEC);
	close(open(PIN, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0));
	check(mount(own, PIN, NULL, MS_BIND, NULL), PIN);
	check(setns(home, CLONE_NEWNET), "setns");
	pair(namespace);
	address(OUTER, "10.200.0.1");
	link_up(OUTER);
	finish(outside);
	link_up(1);
	address(INNER, "10.200.0.2");
	link_up(INNER);
	message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof route);
	put(RTA_GATEWAY, &gateway, sizeof gateway);
	finish(inside);
	nat(netlink(NETLINK_NETFILTER));
	setting = open("/proc/sys/net/ipv4/conf/ve-blue/forwarding", O_WRONLY | O_CLOEXEC);
	check(write(setting, "1", 1) != 1, "forwarding");
}

static void down(void)
{
	struct sockaddr_nl links = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct nfgenmsg inet = { NFPROTO_INET, 0, 0 };
	int rules = netlink(NETLINK_NETFILTER), news = netlink(NETLINK_ROUTE);
	unsigned last;

	transaction(NFNL_MSG_BATCH_BEGIN);
	message(NFT(NFT_MSG_DELTABLE), NLM_F_ACK, &inet, sizeof inet);
	text(NFTA_TABLE_NAME, "blue");
	last = header->nlmsg_seq;
	transaction(NFNL_MSG_BATCH_END);
	carry_out(rules, last);
	check(bind(news, (void *)&links, sizeof links), "bind");
	check(umount2(PIN, MNT_DETACH), PIN);
	check(unlink(PIN), PIN);
	while (if_nametoindex("ve-blue")) {
		struct pollfd told = { news, POLLIN, 0 };

		poll(&told, 1, 200);
		recv(news, bytes, sizeof bytes, MSG_DONTWAIT);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "up"))
		up();
	else
		down();
	return 0;
}
