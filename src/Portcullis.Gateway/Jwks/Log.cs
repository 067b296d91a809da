using Microsoft.Extensions.Logging;

namespace Portcullis.Gateway.Jwks;

/// <summary>What key fetching logs. URLs are redacted before they get here.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 5001, Level = LogLevel.Information, Message = "keys of issuer {Issuer} from {Url} are in force: generation {Generation}, key ids {KeyIds}")]
    public static partial void KeysChanged(ILogger logger, string issuer, string url, long generation, string keyIds);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "keys of issuer {Issuer} cannot be fetched from {Url}: {Reason}; {Consequence}; next try at {NextTry}")]
    public static partial void FetchFailed(ILogger logger, string issuer, string url, string reason, string consequence, string nextTry);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Information, Message = "keys of issuer {Issuer} from {Url} can be fetched again after {Failures} failures")]
    public static partial void Recovered(ILogger logger, string issuer, string url, int failures);

    [LoggerMessage(EventId = 5004, Level = LogLevel.Error, Message = "keys of issuer {Issuer} from {Url} were last fetched at {LastSuccess}, which is too long ago: they are dropped and its tokens refused")]
    public static partial void KeysExpired(ILogger logger, string issuer, string url, DateTimeOffset lastSuccess);

    [LoggerMessage(EventId = 5005, Level = LogLevel.Information, Message = "keys of issuer {Issuer} are those kept on disk, last fetched at {FetchedAt}, until {Url} answers")]
    public static partial void KeysFromDisk(ILogger logger, string issuer, DateTimeOffset fetchedAt, string url);

    [LoggerMessage(EventId = 5006, Level = LogLevel.Warning, Message = "keys of issuer {Issuer} from {Url}: {Warning}")]
    public static partial void Warned(ILogger logger, string issuer, string url, string warning);

    [LoggerMessage(EventId = 5007, Level = LogLevel.Information, Message = "a token of issuer {Issuer} names a key that {Url} did not hold: its keys are fetched anew")]
    public static partial void UnknownKey(ILogger logger, string issuer, string url);

    [LoggerMessage(EventId = 5008, Level = LogLevel.Error, Message = "the fetcher of issuer {Issuer} failed and tries again")]
    public static partial void LoopFailed(ILogger logger, Exception failure, string issuer);
}
