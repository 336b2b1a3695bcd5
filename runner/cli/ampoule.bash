# SPDX-License-Identifier: Apache-2.0
# bash completion for ampoule(1). Options come from the command's own --help.

_ampoule_commands="run start ps logs wait kill pause resume rm balloon pack image doctor policy profile"

_ampoule_options()
{
	"${COMP_WORDS[0]}" "$1" --help 2>/dev/null |
		sed -n 's/^  \(-. \)\? *\(--[a-z-]*\).*/\2/p'
}

# Where the program's own command line begins: the first word after COMMAND
# that is neither an option nor the value of one.
_ampoule_program_index()
{
	local i
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			echo $((i + 1))
			return
			;;
		--mem | --cpus | --cpu | --time | --name | --kernel | --initrd | \
			--profile | --grace | --pids | --open-files | \
			--cpu-max | --cpu-weight | --io-weight | --io-read | \
			--io-write | --io-read-ops | --io-write-ops | --rng-rate | \
			--log-size | --port | \
			--cmdline | --trace | --log | --log-level | --env | \
			--file | --cwd | --user | --image | --image-on | --modules | --pmem | --disk | --vsock | --net | --allow | --publish | --transport | --boot | \
			--output | -o)
			((i++))
			;;
		-*) ;;
		=) ((i++)) ;;
		*)
			echo "$i"
			return
			;;
		esac
	done
}

# The names of VMs, of those that have ended too where a command is for them.
_ampoule_vms()
{
	local word=$1 all=()
	case ${COMP_WORDS[1]} in
	logs | wait | rm) all=(-a) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W \
		"$("${COMP_WORDS[0]}" ps -q "${all[@]}" 2>/dev/null)" -- "$word")
}

# logs, wait, kill, pause, resume, rm, balloon: [OPTION...] VM...
_ampoule_with_vms()
{
	local word=$1 before=$2
	case ${COMP_WORDS[1]}:$before in
	kill:-s | kill:--signal)
		mapfile -t COMPREPLY < <(compgen -W \
			"TERM INT HUP QUIT KILL STOP CONT" -- "$word")
		;;
	wait:-t | wait:--timeout | balloon:--target) ;;
	*)
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				"$(_ampoule_options "${COMP_WORDS[1]}")" \
				-- "$word")
		else
			_ampoule_vms "$word"
		fi
		;;
	esac
}

# policy VERB ARGUMENT
_ampoule_policy()
{
	local word=$1
	if ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"show check explain learn --help" -- "$word")
		return
	fi
	case ${COMP_WORDS[2]} in
	show)
		mapfile -t COMPREPLY < <(compgen -W \
			"start vcpu loop wait parse" -- "$word")
		;;
	check) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	learn) mapfile -t COMPREPLY < <(compgen -c -f -- "$word") ;;
	esac
}

# image VERB ARGUMENT
_ampoule_image()
{
	local word=$1
	if ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"build inspect --help" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" \
			image "${COMP_WORDS[2]}" --help 2>/dev/null |
			sed -n 's/^  \(-. \)\? *\(--[a-z-]*\).*/\2/p')" \
			-- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

# profile VERB ARGUMENT
_ampoule_profile()
{
	local word=$1
	if ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"list show check --help" -- "$word")
		return
	fi
	case ${COMP_WORDS[2]} in
	show)
		mapfile -t COMPREPLY < <(compgen -W \
			"default function fuzz strict" -- "$word")
		;;
	check) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
}

_ampoule()
{
	local word=${COMP_WORDS[COMP_CWORD]} before command program
	before=${COMP_WORDS[COMP_CWORD - 1]}
	command=${COMP_WORDS[1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"$_ampoule_commands version help" -- "$word")
		return
	fi
	if [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$_ampoule_commands version" -- "$word")
		return
	fi
	case $command in
	policy)
		_ampoule_policy "$word"
		return
		;;
	image)
		_ampoule_image "$word"
		return
		;;
	profile)
		_ampoule_profile "$word"
		return
		;;
	logs | wait | kill | pause | resume | rm | balloon)
		_ampoule_with_vms "$word" "$before"
		return
		;;
	esac
	program=$(_ampoule_program_index)
	if [[ -n $program ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	case $before in
	--log-level)
		mapfile -t COMPREPLY < <(compgen -W \
			"error warn info debug trace" -- "$word")
		;;
	--profile)
		mapfile -t COMPREPLY < <(compgen -f -W \
			"default function fuzz strict" -- "$word")
		;;
	--kernel)
		mapfile -t COMPREPLY < <(compgen -f -W "linux" -- "$word")
		;;
	--modules)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		;;
	--initrd | --trace | --log | --file | --output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--transport)
		mapfile -t COMPREPLY < <(compgen -W "mmio pci" -- "$word")
		;;
	--boot)
		mapfile -t COMPREPLY < <(compgen -W "linux pvh" -- "$word")
		;;
	--env)
		mapfile -t COMPREPLY < <(compgen -v -- "$word")
		;;
	--mem | --cpus | --time | --name | --cmdline | --cwd | --user | \
		--log-size | \
		--grace | --pids | --open-files | --cpu-max | --cpu-weight | \
		--io-weight | --io-read | --io-write | --io-read-ops | \
		--io-write-ops | --rng-rate) ;;
	*)
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				"$(_ampoule_options "$command")" -- "$word")
		elif [[ $command == run || $command == start ||
			$command == pack ]]; then
			mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
		fi
		;;
	esac
}

complete -o filenames -F _ampoule ampoule
