"""Keep one database server for the tests of a run: start it, and stop it after its last user.

Run as a process of its own: `database_keeper.py KIND FOLDER`. Every test process that uses the
server holds a shared lock on the file `users` of the folder, which the kernel releases however that
process ends. When this process gets the exclusive lock, nobody is left. The server itself dies
with this process.
"""

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ADMIN, READER, PASSWORD = "contractwatch_admin", "contractwatch_reader", "let me 'in'; % $x"
START_SECONDS = 60
_ACCOUNTS = ("postgres", "mysql", "nobody")


def main() -> None:
    """Start the server named by the arguments and keep it."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the lock alone decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = None
    try:
        folder.chmod(0o711)  # the server may be another account, and its port is guarded
        server = {"postgres": _start_postgres, "mariadb": _start_mariadb}[kind](folder)
        with (folder / "users").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            (folder / "port").unlink(missing_ok=True)
            _stop(server)
            shutil.rmtree(folder)
            folder.with_suffix(".lock").unlink()
    finally:
        if server is not None:
            _stop(server)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGTERM if "mariadbd" in str(server.args) else signal.SIGINT)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _start_postgres(folder: Path) -> "subprocess.Popen[bytes]":
    programs = postgres_folder()
    assert programs is not None
    data, password = folder / "own" / "data", folder / "own" / "password"
    _own_folder(folder)
    _write(password, PASSWORD)
    _run(
        folder,
        [
            *[programs / "initdb", "-D", data, "-U", ADMIN, f"--pwfile={password}"],
            *["--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C"],
        ],
    )
    port = _free_port()
    certificate = _certificate(folder)
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder / "own",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "max_connections": 60,
        "autovacuum": "off",
    }
    if certificate:
        settings |= {"ssl": "on", "ssl_cert_file": certificate[0], "ssl_key_file": certificate[1]}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = _spawn(folder, [programs / "postgres", "-D", data, *words])
    statements = f"""
        CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
        GRANT pg_read_all_data TO {READER};
    """
    words = [programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder / "own"]
    words += ["-p", str(port), "-U", ADMIN, "-d", "postgres", "-c", statements]
    _until_ready(folder, server, words)
    _write(folder / "port", str(port))
    return server


def _start_mariadb(folder: Path) -> "subprocess.Popen[bytes]":
    data, init = folder / "own" / "data", folder / "own" / "init.sql"
    _own_folder(folder)
    # On one line, because the file is read line by line.
    word = PASSWORD.replace("'", "''")
    _write(
        init,
        f"CREATE USER IF NOT EXISTS {ADMIN}@'%' IDENTIFIED BY '{word}';\n"
        f"GRANT ALL ON *.* TO {ADMIN}@'%' WITH GRANT OPTION;\n"
        f"CREATE USER IF NOT EXISTS {READER}@'%' IDENTIFIED BY '{word}';\n"
        f"GRANT SELECT, SHOW VIEW ON *.* TO {READER}@'%';\n",
    )
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
    _run(folder, [*install, "--auth-root-authentication-method=normal", "--skip-name-resolve"])
    port = _free_port()
    certificate = _certificate(folder)
    encryption = (
        [f"--ssl-cert={certificate[0]}", f"--ssl-key={certificate[1]}"] if certificate else []
    )
    server = _spawn(
        folder,
        [
            *[mariadbd(), "--no-defaults", f"--datadir={data}", f"--port={port}"],
            *["--bind-address=127.0.0.1", f"--socket={folder / 'own' / 'mariadb.sock'}"],
            *[f"--pid-file={folder / 'own' / 'pid'}", f"--init-file={init}"],
            *["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"],
            *["--innodb-buffer-pool-size=32M", "--innodb-flush-method=nosync"],
            *["--character-set-server=utf8mb4", "--performance-schema=OFF", *encryption],
        ],
    )
    login = ["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(port), "-u", ADMIN]
    _until_ready(folder, server, [*login, f"-p{PASSWORD}", "-e", f"SHOW GRANTS FOR {READER}@'%'"])
    _write(folder / "port", str(port))
    return server


def _certificate(folder: Path) -> tuple[Path, Path] | None:
    """Return a certificate of this machine, signed by itself, and its key, if openssl is there."""
    if shutil.which("openssl") is None:
        return None
    certificate, key = folder / "own" / "certificate.pem", folder / "own" / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    use = ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    files = ["-keyout", key, "-out", certificate]
    _run(folder, ["openssl", "req", "-x509", *kind, *name, *use, *files])
    return certificate, key


def postgres_folder() -> Path | None:
    """Return the folder of the newest PostgreSQL server installed; None without any."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0,
    )
    if found:
        return found[-1].parent
    other = shutil.which("postgres")
    return Path(other).resolve().parent if other and shutil.which("initdb") else None


def mariadbd() -> str | None:
    """Return the path of MariaDB's server, which lies outside of a usual user's search path."""
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")


def _account() -> pwd.struct_passwd | None:
    """Return whom the server runs as; None for this process's own user.

    Neither server runs as root.
    """
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SystemExit(f"none of the accounts {', '.join(_ACCOUNTS)} exists here")


def _own_folder(folder: Path) -> None:
    own = folder / "own"
    own.mkdir(mode=0o700)
    account = _account()
    if account is not None:
        os.chown(own, account.pw_uid, account.pw_gid)


def _write(path: Path, text: str) -> None:
    """Write a file as a whole, readable by the server's account and its own only."""
    unready = path.with_name(f"{path.name}.new")
    unready.write_text(text, encoding="utf-8")
    unready.chmod(0o600)
    account = _account()
    if account is not None:
        os.chown(unready, account.pw_uid, account.pw_gid)
    unready.rename(path)


def _as_account(words: Sequence[object]) -> list[str]:
    """Return the command, which dies with this process, as whom the server runs."""
    account = _account()
    become = ["setpriv", "--pdeathsig", "KILL"]
    if account is not None:
        become += ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid)]
        become += ["--clear-groups"]
    return [*become, *(str(word) for word in words)]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGPASSWORD": PASSWORD, "TZ": "UTC"}


def _run(folder: Path, words: Sequence[object]) -> None:
    done = subprocess.run(
        _as_account(words), env=_environment(), cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{words[0]}: {(done.stdout + done.stderr).decode(errors='replace')}")


def _spawn(folder: Path, words: Sequence[object]) -> "subprocess.Popen[bytes]":
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            _as_account(words), env=_environment(), cwd=folder, stdout=log, stderr=log
        )


def _until_ready(
    folder: Path, server: "subprocess.Popen[bytes]", question: Sequence[object]
) -> None:
    """Ask the server until it answers.

    Raises:
        SystemExit: If it ended, or does not answer within the time.
    """
    until = time.monotonic() + START_SECONDS
    words = [str(word) for word in question]
    while time.monotonic() < until and server.poll() is None:
        asked = subprocess.run(words, env=_environment(), capture_output=True, check=False)
        if not asked.returncode:
            return
        time.sleep(0.05)
    _stop(server)
    raise SystemExit(f"no server: {(folder / 'log').read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    main()
