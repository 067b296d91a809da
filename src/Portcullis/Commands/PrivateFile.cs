namespace Portcullis.Commands;

/// <summary>Files with private keys in them: readable by their owner only, from their first byte on.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a new file of mode 0600; one that is there is only replaced with <paramref name="overwrite"/>.</summary>
    public static void Write(string path, string text, bool overwrite)
    {
        try
        {
            // Replacing the file and not its content: the mode of the old one must not stay.
            if (overwrite && File.Exists(path))
            {
                File.Delete(path);
            }

            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            using var writer = new StreamWriter(path, options);
            writer.Write(text);
        }
        catch (IOException) when (File.Exists(path) && !overwrite)
        {
            throw new InputException($"`{path}` exists already: give another name, or --force to replace it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot write `{path}`: {e.Message}");
        }
    }
}
