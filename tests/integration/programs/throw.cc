/* SPDX-License-Identifier: Apache-2.0 */
/* throw.cc - an exception through three frames, destructors and RTTI: the
 * unwinder reads its tables from the mapped executable. */
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{
struct noisy {
	const char *name;
	~noisy()
	{
		std::printf("unwound %s\n", name);
	}
};

void thrower(int depth)
{
	noisy n{depth ? "outer" : "inner"};

	if (depth == 0)
		throw std::out_of_range("index " + std::to_string(7));
	thrower(depth - 1);
}
} // namespace

int main()
{
	try {
		thrower(1);
	} catch (const std::runtime_error &) {
		return 1;
	} catch (const std::logic_error &e) {
		std::printf("caught %s\n", e.what());
	}
	try {
		std::vector<int> v(3);

		return v.at(3);
	} catch (const std::exception &) {
		std::puts("caught vector");
	}
	return 0;
}
