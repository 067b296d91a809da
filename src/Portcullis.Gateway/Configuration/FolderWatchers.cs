namespace Portcullis.Gateway.Configuration;

/// <summary>
/// File system notifications for a set of paths, and for the folders that these are in, so that a path that is deleted, replaced or not
/// there yet is noticed too. Where the system gives no (more) notifications, the caller's polling is what is left.
/// </summary>
internal sealed class FolderWatchers : IDisposable
{
    private readonly string[] _paths;
    private readonly Action _changed;
    private readonly List<FileSystemWatcher> _watchers = [];
    private bool _isStale = true;

    public FolderWatchers(IEnumerable<string> paths, Action changed)
    {
        (_paths, _changed) = ([.. paths.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal)], changed);
        Renew();
    }

    /// <summary>Watches again what was replaced since.</summary>
    public void Renew()
    {
        if (!Volatile.Read(ref _isStale) && _watchers.TrueForAll(w => Directory.Exists(w.Path)))
        {
            return;
        }

        Volatile.Write(ref _isStale, false);
        Dispose();
        foreach (var path in _paths)
        {
            if (Directory.Exists(path))
            {
                Watch(path, null, recursive: true);
            }

            if (Path.GetDirectoryName(path) is { } parent && Directory.Exists(parent))
            {
                Watch(parent, Path.GetFileName(path), recursive: false);
            }
        }
    }

    public void Dispose()
    {
        foreach (var watcher in _watchers)
        {
            watcher.Dispose();
        }

        _watchers.Clear();
    }

    private void Watch(string folder, string? name, bool recursive)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(folder)
            {
                IncludeSubdirectories = recursive,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.Attributes,
            };
            watcher.Changed += (_, e) => Notice(e.Name);
            watcher.Created += (_, e) => Notice(e.Name);
            watcher.Deleted += (_, e) => Notice(e.Name);
            watcher.Renamed += (_, e) =>
            {
                Notice(e.OldName);
                Notice(e.Name);
            };
            watcher.Error += (_, _) => Replaced();
            watcher.EnableRaisingEvents = true;
            _watchers.Add(watcher);
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // Out of inotify watches, or the folder vanished: polling finds the changes.
            watcher?.Dispose();
        }

        void Notice(string? changed)
        {
            if (recursive)
            {
                _changed();
            }
            else if (changed is null || changed == name || changed.StartsWith("..", StringComparison.Ordinal))
            {
                Replaced();
            }
        }

        void Replaced()
        {
            Volatile.Write(ref _isStale, true);
            _changed();
        }
    }
}
