namespace Portcullis.Commands;

/// <summary>Exit codes of every command.</summary>
internal static class ExitCode
{
    /// <summary>Good.</summary>
    public const int Good = 0;

    /// <summary>The answer is no: invalid, denied, failed.</summary>
    public const int No = 1;

    /// <summary>Wrong usage or unreadable input.</summary>
    public const int Usage = 2;
}
