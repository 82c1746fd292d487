from husky_placerec.cli.main import main

main()
