// Package filebackend keeps sessions in files below one directory of a local
// file system. Any number of goroutines and processes of one machine may
// share the directory.
//
// # What a crash leaves
//
// A session is never changed in place: its new state is written to a
// temporary file in the same directory, flushed, and renamed over the old
// one, and then the directory is flushed. When a process is killed, the disk
// is full or the power fails, the session is as it was before or as it was to
// be. A write that returned is on the disk, unless [Config.NoSync] says
// otherwise. What a killed process left behind is removed by Sweep.
//
// A Touch is the exception: it moves the modification time of the file, which
// the file system changes in one step and which cannot tear the content. It
// is not flushed, as each flush costs milliseconds: a power cut may take back
// a touch, and then the session ends when the last write said. On a file
// system that cannot store the time (XFS without bigtime after 2038, one that
// knows only whole seconds) the file is written anew instead.
//
// # Layout
//
// The file of a session is named by the SHA-256 of its key, as 64 lower-case
// hexadecimal digits, in one of 256 directories named by the first two of
// them. They are made when they are needed. So no key can name a file outside
// the directory, two keys never differ only in case, and a listing of the
// directory shows no key. All access goes through [os.Root], which follows no
// link out of the directory. Beside them there is the directory "locks". A
// name that ends in ".tmp" is a file that is being written.
//
// A file has these fields, numbers in big-endian order:
//
//	 0  8 bytes  "gosess" 0x00 0x01; the last byte is the version
//	 8  4 bytes  CRC-32C (Castagnoli, RFC 3720 appendix B.4) of all other bytes
//	12  8 bytes  expiry in milliseconds since 1970-01-01 UTC, signed
//	20  4 bytes  length k of the key
//	24  k bytes  key
//	    4 bytes  length n of the data
//	    n bytes  data, up to the end of the file
//
// The session expires at the later of that expiry and the modification time
// of the file, which is set to the expiry as well, so that a sweep need not open
// the files of live sessions. A file that is shorter or longer than its lengths say, fails
// the checksum, is stored under another name than its key's, is not a regular
// file or belongs to another user is answered with [backend.ErrCorrupt]. It
// is never read as a session, overwritten or swept; Delete removes it. The
// checksum finds accidents. It does not stop somebody who can write to the
// directory as this user.
//
// # The layouts of Flask
//
// With [Config.Flask] the files are those of FileSystemCache of cachelib, for
// both extensions: directly in the directory, named by the MD5 of the key in
// hexadecimal, or since cachelib 0.16, which only Flask-Session allows, by its
// SHA-256. Which of them the application uses is found out from the file in
// which cachelib counts, and from the other files where there is none. The
// content is
//
//	0  4 bytes  expiry in seconds since 1970-01-01 UTC, in the byte order of
//	            the machine; 0 for never
//	   n bytes  data, a pickle, up to the end of the file
//
// Files whose names end in ".__wz_cache" are no sessions, and the lock files
// are in "locks.__wz_cache": cachelib passes over them. The file that counts
// is kept up to date, if it is there. There is no check for damage but that
// of the pickle. A Touch changes the expiry in its place. List does not work,
// as the keys are stored nowhere. The Flask application must run as the same
// user.
//
// Flask takes no locks. What it writes while a program of this package
// changes the same session is not overwritten: a file is put into its place
// in one step, and what comes out is looked at. When it is not what was to be
// replaced, it is put back, and the change is a conflict. That takes
// renameat2(2) of Linux on a file system that can exchange files; everywhere
// else what Flask writes between the comparison and the rename, some
// microseconds, is lost. While something is put back, which takes as long,
// Flask can read what was not to be stored.
//
// Over its SESSION_FILE_THRESHOLD, which is 500 by default, a Flask
// application removes sessions, also live ones, whoever has stored them. Set
// it to 0 there: [Backend.Sweep] removes the expired ones.
//
// # Locks
//
// Reading takes no lock, as a rename is atomic. Writing takes one of 256 lock
// files in "locks", flock(2) on Unix and LockFileEx on Windows, which the
// system releases when a process ends, however it ends. Nobody may remove
// them while a program runs. A file system on the network must support these
// locks between all its machines; NFS does from version 4 on, but a local one
// is faster and safer.
//
// # Settings
//
// The session type "filesystem" of [backend.Open] has these settings:
//
//   - SESSION_FILE_DIR: [Config.Dir]. Default: "flask_session" below the
//     working directory, as in Flask.
//   - SESSION_FILE_MODE: [Config.Mode]. As a string "0600" and "0o600" are
//     octal. Default: 0o600.
//   - SESSION_FILE_THRESHOLD: [Config.MaxSessions]. Unlike Flask's threshold
//     it never removes a live session. Default: 0, no limit. With
//     SESSION_FLASK_COMPATIBLE it is for the Flask application only.
//   - SESSION_FLASK_COMPATIBLE, SESSION_SERIALIZATION_FORMAT: [Config.Flask].
//
// # Systems
//
// On Windows nobody checks who owns the directory or what its access list
// says, and directories are not flushed. Operating systems with neither of
// the locks are refused by [New].
package filebackend
