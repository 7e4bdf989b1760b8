# SPDX-License-Identifier: MIT
# Sourced by ./dev: the packages that each command needs, and how they get here.
# shellcheck shell=bash

# packages_for COMMAND: names of Debian packages.
packages_for() {
    local -r base='g++ cmake ninja-build ccache libfmt-dev libcli11-dev iso-codes'
    local -r test='clang-19 libclang-rt-19-dev doctest-dev libgtest-dev catch2 valgrind spin'
    case $1 in
        demo) echo "$base" ;;
        test | build) echo "$base $test" ;;
        check) echo "$base $test clang-format-19 clang-tidy-19" ;;
        bench) echo "$base libbenchmark-dev libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0" ;;
        fuzz) echo "$base clang-19 libclang-rt-19-dev" ;;
    esac
}

# evidence_of PACKAGE: the command, header or file that it brings, to look for on other systems.
evidence_of() {
    case $1 in
        ninja-build) echo ninja ;;
        clang-19) echo clang++-19 ;;
        libfmt-dev) echo fmt/format.h ;;
        libcli11-dev) echo CLI/CLI.hpp ;;
        libbenchmark-dev) echo benchmark/benchmark.h ;;
        doctest-dev) echo doctest/doctest.h ;;
        libgtest-dev) echo gtest/gtest.h ;;
        catch2) echo catch2/ ;;
        valgrind) echo valgrind/memcheck.h ;;
        iso-codes) echo /usr/share/iso-codes/json ;;
        ccache | libclang-rt-19-dev) ;; # Not looked for: optional, and often a part of clang.
        libjemalloc2 | libtcmalloc-minimal4 | libmimalloc2.0) ;; # The benchmark does without.
        *) echo "$1" ;;
    esac
}

reason_for() {
    case $1 in
        g++) echo 'compiler' ;;
        cmake | ninja-build) echo 'build system' ;;
        ccache) echo 'makes later builds fast' ;;
        libfmt-dev | libcli11-dev) echo 'output and command line of the demo' ;;
        iso-codes) echo 'real JSON files, which the demo reads' ;;
        clang-19) echo 'second compiler' ;;
        libclang-rt-19-dev) echo "clang's sanitizers and fuzzer" ;;
        doctest-dev) echo 'test framework' ;;
        libgtest-dev | catch2) echo 'test frameworks with an adapter' ;;
        valgrind) echo 'headers that mark memory for Valgrind' ;;
        spin) echo 'model checker, for protocols between threads' ;;
        clang-format-19 | clang-tidy-19) echo 'formatting and lint' ;;
        libbenchmark-dev) echo 'benchmark framework' ;;
        libjemalloc2 | libtcmalloc-minimal4 | libmimalloc2.0)
            echo 'allocator that the benchmarks compare with' ;;
    esac
}

# missing_packages PACKAGE...: those that are not here, one a line.
missing_packages() {
    local package evidence installed=' '
    if has apt-get && has dpkg-query; then
        # dpkg-query fails where one name is unknown to it, and prints the others all the same.
        installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true) "
        for package; do
            [[ $installed == *" installed:$package "* ]] || echo "$package"
        done
        return
    fi
    for package; do
        evidence=$(evidence_of "$package")
        case $evidence in
            '') ;;
            /*) [[ -e $evidence ]] || echo "$package" ;;
            */*) [[ -e /usr/include/$evidence || -e /usr/local/include/$evidence ]] || echo "$package" ;;
            *) has "$evidence" || echo "$package" ;;
        esac
    done
}

# ensure_packages COMMAND: installs what the command needs and this system lacks.
ensure_packages() {
    local -a needed missing
    read -ra needed <<<"$(packages_for "$1")"
    mapfile -t missing < <(missing_packages "${needed[@]}")
    if ((${#missing[@]} > 0)); then
        install_packages "$1" "${missing[@]}"
    fi
    check_versions
}

install_packages() {
    local -r command=$1
    shift
    local package
    if ! has apt-get || ! has dpkg-query; then
        complain "./dev $command needs programs that are not here, and installs only with apt-get"
        say 'Please install what your system calls these Debian packages:'
        for package; do say "  $package ($(reason_for "$package"))"; done
        exit 2
    fi

    say "./dev $command needs packages that are not installed:"
    for package; do say "$(printf '  %-20s %s' "$package" "$(reason_for "$package")")"; done

    local -a as_root=()
    if ((EUID != 0)); then as_root=(sudo); fi
    if ((EUID != 0)) && ! may_use_sudo; then
        complain 'installing them takes root, and sudo cannot be used here; please run'
        say "  apt-get update && apt-get install --no-install-recommends $*"
        exit 2
    fi

    say "Installing them with ${as_root[*]:+sudo }apt-get; this can take a few minutes."
    local log=$root/build/install.log status=0
    mkdir -p "$root/build"
    (
        flock 9 # A second ./dev waits, and then finds them installed.
        mapfile -t missing < <(missing_packages "$@")
        if ((${#missing[@]} == 0)); then exit 0; fi
        run_apt update && run_apt install --no-install-recommends "${missing[@]}"
    ) 9>"$root/build/.install.lock" >"$log" 2>&1 || status=$?
    if ((status != 0)); then
        tail -n 30 "$log" >&2
        complain 'could not install the packages; the lines above are the end of build/install.log'
        exit 2
    fi
    say "Installed ($(elapsed))."
}

run_apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -y -q -o DPkg::Lock::Timeout=600 "$@" </dev/null 9>&-
}

# With a terminal, sudo may ask for the password.
may_use_sudo() {
    has sudo || return 1
    if [[ -t 0 ]]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

check_versions() {
    local version
    version=$(g++ -dumpversion)
    if ((${version%%.*} < 12)); then
        complain "g++ is version $version, and C++23 as it is used here needs 12 or newer"
        say '  hint: Debian 12, Ubuntu 24.04 and anything newer have it'
        exit 2
    fi
    version=$(cmake --version | sed -n '1s/[^0-9]*//p')
    if [[ $(printf '%s\n' 3.25 "$version" | sort -V | head -n 1) != 3.25 ]]; then
        complain "cmake is version $version, and 3.25 or newer is needed"
        say '  hint: Debian 12, Ubuntu 24.04 and anything newer have it'
        exit 2
    fi
}
