#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Made the photographs in this folder: papers that do not exist, of people who do not exist.
# Not run by any test; needs ImageMagick 6 and the DejaVu fonts.  Usage: make-photos.sh [DIR]
#
# A page is drawn as text on uneven paper, laid askew on a table, shaded and grained like a picture taken by
# hand under a lamp, and saved as JPEG.  Grain is what gives the files the size and the incompressibility of
# real ones.  Each file holds one planted string as a JPEG comment, so that a search can tell whether bytes of
# a photograph are where they must not be; a telephone would have put the place and the hour there.
set -eu
dir=${1:-$(dirname "$0")}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM

# photo FILE SEED WIDTH HEIGHT TILT PAPER INK COMMENT < text
photo() {
	file=$1 seed=$2 w=$3 h=$4 tilt=$5 paper=$6 ink=$7 comment=$8
	text=$(cat)
	convert -seed "$seed" -size "${w}x${h}" "xc:$paper" \
		\( -size "${w}x${h}" "plasma:gray60-gray75" -blur 0x9 \) -compose softlight -composite \
		-font DejaVu-Sans-Mono -pointsize 21 -fill "$ink" -interline-spacing 5 \
		-annotate +44+70 "$text" \
		-fill none -stroke gray50 -strokewidth 2 -draw "rectangle 18,18 $((w - 19)),$((h - 19))" \
		"$tmp/page.png"
	convert -seed "$seed" -size 1200x900 plasma:gray35-gray60 -blur 0x2 -colorspace gray -fill sienna -tint 90 \
		\( "$tmp/page.png" -resize 1020x760 -background none -rotate "$tilt" \) \
		-gravity center -compose over -composite \
		\( -size 1200x900 radial-gradient:white-gray35 \) -compose multiply -composite \
		-blur 0x0.5 -attenuate 0.40 +noise Gaussian -modulate 104,86 \
		-strip -set comment "$comment" -sampling-factor 4:2:0 -quality $((seed * 4 + 6)) "$dir/$file"
}

photo nta-tzunun-hoja1.jpg 11 900 760 -2.2 '#f4f1e6' '#202028' 'planted-photo-nta-hoja1-5c1e0a' <<'X'
                   NOTICE TO APPEAR
      (made-up paper for a test: not a real notice)

File No:  A000-417-553
In the matter of:
   JUAN MATEO SUNUN PALAS
   currently held at:  BAYOU PINES PROCESSING CENTER

[ ] You are an arriving person.
[x] You are a person present in the United States.

It is alleged that:
  1. You are not a citizen of the United States.
  2. You are a native of GUATEMALA.
  3. ......................................................

                                              page 1 of 2
X
photo nta-tzunun-hoja2.jpg 12 900 760 1.6 '#f3efe2' '#202028' 'planted-photo-nta-hoja2-92b7d4' <<'X'
YOU ARE ORDERED to appear before an immigration judge

  Court:   OAKVALE IMMIGRATION COURT
           room 3, second floor
  Date:    12/17/2026
  Time:    8:30 AM
  Judge:   Hon. Wilhelmina Torkelson

  Served in person       [x]      language: "SPANISH"
  The contents were read to him in:  ________________

  signature:     x  J Mateo
  officer:       ~~~~~~~~~ #0000

                                              page 2 of 2
X
photo dpi-frente-palax.jpg 13 860 540 -4.5 '#d9e6ea' '#123048' 'planted-photo-dpi-palax-0ee413' <<'X'
   REPUBLICA DE GUATEMALA  ·  CENTROAMERICA
   DOCUMENTO PERSONAL DE IDENTIFICACION
   (prueba: persona inventada)

   CUI    0000 00000 0000

   Nombre      JUAN MATEO
   Apellidos   SUNUN PALAS
   Nacimiento  09 MAR 1987
   Sexo   M      Vecindad  SAN JUAN IXCOY

                          VENCE 14 MAY 2024
X
photo insulina-caja-lucrecia.jpg 14 860 560 5.5 '#fbfbf4' '#b03018' 'planted-photo-insulina-77aa20' <<'X'
  CROSSROADS  COUNTY  PHARMACY     Rx 0000000

  BATZ ORDONEZ, LUCRECIA

  INSULIN GLARGINE   100 units / mL
  INJECT 22 UNITS UNDER THE SKIN AT BEDTIME

  5 PENS x 3 mL              KEEP COLD
  REFILLS: 0                 DO NOT FREEZE

  (not a real label)
X
photo 'acta de nacimiento Ixchel Velásquez.jpg' 15 880 760 -1.2 '#e9e4cf' '#24324a' 'planted-photo-acta-ixchel-b3f8c9' <<'X'
              CERTIFICATE OF LIVE BIRTH
         (made-up paper: nobody of this name)

  1. CHILD'S NAME       IXCHEL VELASQUEZ
  2. DATE OF BIRTH      JUNE 18, 2015     04:52
  3. PLACE              NOXAPARCH, YALOBEE COUNTY

  4. MOTHER             ROSALINDA VELASQUEZ CANEL
     BIRTHPLACE         GUATEMALA
  5. FATHER             - - - - - - - -

  FILE NUMBER  000-15-000000          [ S E A L ]
X
photo talon-pago-pelicanfork.jpg 16 940 620 2.8 '#eef3ee' '#2a2a2a' 'planted-photo-talon-4d0be6' <<'X'
 DELTA CREST FOODS              PAY PERIOD 10/30 - 11/05
 PLANT 2, PELICAN FORK          CHECK  000000

 EMPLOYEE   IXCOY, F                    LINE 7
 -------------------------------------------------------
 REG     40.00 h    x  7.40              296.00
 OT       0.00 h                           0.00
 GLOVES, APRON                           -11.50
 KNIFE                                    -6.00
 -------------------------------------------------------
 NET                                     278.50
 (test paper)
X
photo matricula-consular-xicohtencatl.jpg 17 860 540 3.7 '#e4ecd9' '#17402a' 'planted-photo-matricula-e519ac' <<'X'
   CONSULADO  ·  TARJETA DE IDENTIDAD CONSULAR
   (ejemplo inventado)

   XICOHTENCATL NUNO
   MARIA DE LOS ANGELES

   Nacimiento   14 FEB 1990    TLAXCALA
   Domicilio    NOXAPARCH
   No.          00000000

               EXPEDIDA 2023     VENCE 2028
X
photo aviso-audiencia-enero.jpg 18 900 700 -3.1 '#f6f3ea' '#1c1c24' 'planted-photo-aviso-enero-31d06f' <<'X'
          NOTICE OF HEARING  -  READ AT ONCE
          (made-up paper for a test)

 A00 731 662      XICOHTENCATL NUNO, MARIA DE LOS ANGELES

 Your case is set for a   MASTER   hearing on

        JANUARY 6, 2027   at   1:00 P.M.

 at   OAKVALE IMMIGRATION COURT, ROOM 4

 If you do not come, an order may be made without you.
X
photo 1731425512043.jpg 19 900 700 7.4 '#efe9da' '#30302c' 'planted-photo-supervision-a86f53' <<'X'
     ORDER OF SUPERVISION            (not a real order)

 Name   CHUB AKABAL, ANSELMO          A-000612488

 You must report in person on
    [stamped]  NOV 14 2022
    [stamped]  NOV 13 2023
    [stamped]  NOV 12 2024
    [stamped]  NOV 12 2025
    next:      NOV 16 2026

 You must not leave the state for more than 48 hours.
X
photo carta-poder-yesenia.jpg 20 900 760 0.9 '#faf6ee' '#1a2a5a' 'planted-photo-carta-poder-f2c81b' <<'X'
                     CARTA PODER
             (texto de prueba, sin valor)

  Yo, YESENIA GUADALUPE ORANTES, autorizo a OFELIA para
  que cuide de mi hija DAYANA, la lleve al doctor, la
  recoja de la escuela y firme por ella lo que haga
  falta mientras yo no pueda.

  Fecha:  ____ / ____ / 2026

  Firma:  ____________________

  Testigo: ___________________
X
