# SPDX-License-Identifier: Apache-2.0
# bash completion for ampoule(1). Options come from the command's own --help.

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
		--mem | --cpus | --time | --name | --kernel | --initrd | \
			--cmdline | --trace | --log | --log-level | --env | \
			--file | --cwd | --output | -o)
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

_ampoule()
{
	local word=${COMP_WORDS[COMP_CWORD]} before command program
	before=${COMP_WORDS[COMP_CWORD - 1]}
	command=${COMP_WORDS[1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"run pack doctor policy version help" -- "$word")
		return
	fi
	if [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"run pack doctor policy version" -- "$word")
		return
	fi
	if [[ $command == policy ]]; then
		_ampoule_policy "$word"
		return
	fi
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
	--kernel | --initrd | --trace | --log | --file | --output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	--env)
		mapfile -t COMPREPLY < <(compgen -v -- "$word")
		;;
	--mem | --cpus | --time | --name | --cmdline | --cwd) ;;
	*)
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				"$(_ampoule_options "$command")" -- "$word")
		elif [[ $command == run || $command == pack ]]; then
			mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
		fi
		;;
	esac
}

complete -o filenames -F _ampoule ampoule
