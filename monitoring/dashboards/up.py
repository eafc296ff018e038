"""Is it up: services, memory, processors, disks, clock, backup."""

from monitoring.dashboards.panels import Dashboard, Panel

DISKS = 'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|iso9660"}'

IS_IT_UP = Dashboard(
    "marquee-up",
    "Marquee: is it up?",
    (
        Panel(
            "Services",
            "1 where a service answers Prometheus. At 0: docker compose logs of that service.",
            "short",
            [("up", "{{service}}")],
            bad_below=1,
            alerts=("ServiceDown", "WantedServiceDown", "SlotDown", "BothSlotsDown"),
        ),
        Panel(
            "Nginx and PostgreSQL, as their exporters see them",
            "1 where the exporter reaches it. At 0: make status, then the log of that service."
            " PostgreSQL answers somebody new, too, which it does not while it is frozen.",
            "short",
            [
                ("nginx_up", "nginx"),
                ("pg_up", "postgres"),
                ("marquee_database_answers", "postgres, to somebody new"),
            ],
            bad_below=1,
        ),
        Panel(
            "Memory of each service",
            "Resident; of PostgreSQL, memory that its processes share counts for each of them."
            " What grows and grows: docker compose logs of it, then docker compose restart.",
            "bytes",
            [
                (
                    (
                        "sum by (service, container)"
                        ' (namedprocess_namegroup_memory_bytes{memtype="resident"})'
                    ),
                    "{{service}} {{container}}",
                )
            ],
            no_bound="each service has its own, mem_limit in compose/; the host's is beside it",
        ),
        Panel(
            "Processors used by each service",
            "1 is one processor. The trainer gives way to the slots, so its share harms nobody."
            " If answers are late, see who else is busy: docker stats.",
            "short",
            [
                (
                    (
                        "sum by (service, container)"
                        " (rate(namedprocess_namegroup_cpu_seconds_total[$__rate_interval]))"
                    ),
                    "{{service}} {{container}}",
                )
            ],
            no_bound="what nobody else needs may be used; the host's is beside it",
        ),
        Panel(
            "Memory of the host",
            "From 95 % on MemoryShort fires. See who uses it: docker stats.",
            "percentunit",
            [("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "used")],
            0.95,
            alerts=("MemoryShort",),
        ),
        Panel(
            "Processors of the host",
            "Above 90 % answers wait for their turn. See who is busy: docker stats; a training is"
            " the usual one.",
            "percentunit",
            [('1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "busy")],
            0.9,
        ),
        Panel(
            "Disks",
            "From 90 % on DiskFillingUp fires. See what grows: docker system df -v.",
            "percentunit",
            [(f"1 - min by (device) ({DISKS} / node_filesystem_size_bytes)", "{{device}}")],
            0.9,
            alerts=("DiskFillingUp", "DiskFullTomorrow"),
        ),
        Panel(
            "Room for files",
            "Share of a disk's files that can still be made. Below 5 % it is as good as full:"
            " find the folder with the most by du --inodes -xS /.",
            "percentunit",
            [
                (
                    "min by (device) (node_filesystem_files_free / (node_filesystem_files > 0))",
                    "{{device}}",
                )
            ],
            bad_below=0.05,
            alerts=("FilesRunningOut",),
        ),
        Panel(
            "Processes killed for want of memory",
            "By the kernel. Which: dmesg | grep -i oom.",
            "short",
            [("increase(node_vmstat_oom_kill[$__rate_interval])", "killed")],
            1,
            alerts=("KilledForMemory",),
        ),
        Panel(
            "Clock of the host",
            "How far off it is. Times on rows are off as far: timedatectl timesync-status.",
            "s",
            [("abs(node_timex_offset_seconds)", "off")],
            0.5,
            alerts=("ClockOff",),
        ),
        Panel(
            "Backup that is overdue",
            "By BACKUP_CRON. From two hours on BackupTooOld fires: make backup.",
            "s",
            [
                (
                    'clamp_min(time() - marquee_next_run_timestamp_seconds{task="backup"}, 0)',
                    "overdue",
                )
            ],
            2 * 3600,
            alerts=("BackupTooOld",),
        ),
        Panel(
            "Is the clock kept?",
            "1 where something keeps the clock of this host right. At 0: install chrony.",
            "short",
            [("node_timex_sync_status", "kept")],
            bad_below=1,
            alerts=("ClockNotKept",),
        ),
        Panel(
            "Clock behind the stream",
            "How much later than it is here lines say that they were published: hold date --utc"
            " here against the publishers' clock.",
            "s",
            [("max(marquee_ingest_clock_behind_seconds)", "behind")],
            300,
            alerts=("ClockBehindStream",),
        ),
        Panel(
            "Age of the newest backup",
            "Since 1970 where there is none yet: make backup.",
            "s",
            [("time() - marquee_backup_last_timestamp_seconds", "since the last")],
            no_bound="how old it may be is for BACKUP_CRON to say: see what is overdue",
            alerts=("NoBackup",),
        ),
    ),
)
