using System.CommandLine;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwt</c>: makes tokens, shows what is in them, and checks them.</summary>
internal static class JwtCommand
{
    public static Command Create() => new("jwt", "Sign, show and verify JSON Web Tokens.")
    {
        JwtSignCommand.Create(),
        JwtDecodeCommand.Create(),
        JwtVerifyCommand.Create(),
    };
}
